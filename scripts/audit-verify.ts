/** `npm run audit-verify`: checks a gateway's log of receipts against the chain, and a reader's receipt against both. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ProtocolError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/hash.ts";
import { decodeReceipt, LOST, type Receipt } from "../protocol/receipt.ts";
import { type Anchor, AuditChain, type Deployment, dayOf } from "./audit/chain.ts";
import { LogCheck, type Report } from "./audit/check.ts";
import { KeyCheck, type LostKeys } from "./audit/keys.ts";
import { readAbout, readEntries, readKeyIds } from "./audit/log.ts";
import { checkSignature, compareWithLog, describeReceipt } from "./audit/readersReceipt.ts";
import { count, Desk, runScript } from "./desk.ts";
import { CALLED_FROM, readArguments, UsageError } from "./usage.ts";

const HELP = `npm run audit-verify -- [options]   check a running gateway's log of receipts against the chain

  --receipt FILE|TEXT      also check a receipt that a reader was given (the header ExamKey-Receipt)
    --alone                  … and nothing else: what it says, and that the operator signed it; needs no gateway
  --data DIR               where the gateway keeps its data (.examkey)
  --help                   this text

Environment: RPC_URL, an endpoint of the chain that you trust (http://127.0.0.1:8545); CONSENT_LEDGER, ACCESS_LOG and
CUSTODIAN, for which the gateway's own word is taken where they are not given. With --alone, CONSENT_LEDGER and CUSTODIAN are needed.

It ends with 0 where nothing was found, and 1 where something was.

What it shows: that the log still has every receipt that was anchored, as it was anchored; that those since are signed; and,
of a receipt, that the custodian's operator signed it and whether the log has it. What it cannot show: that everything that
was read has a receipt; that nothing was dropped before it was anchored. Whoever holds the receipt of it can show that.`;

const VARIABLES = {
  consentLedger: "CONSENT_LEDGER",
  accessLog: "ACCESS_LOG",
  custodian: "CUSTODIAN",
} as const;
const PARTS = ["consentLedger", "accessLog", "custodian"] as const;

/** What whoever checks says of the deployment. @throws {UsageError} */
function givenDeployment(): Partial<Record<keyof Deployment, string>> {
  const given: Partial<Record<keyof Deployment, string>> = {};
  for (const part of PARTS) {
    const address = process.env[VARIABLES[part]];
    if (address && !/^0x[0-9a-fA-F]{40}$/.test(address))
      throw new UsageError(`${VARIABLES[part]} is not an address.`);
    if (address) given[part] = address.toLowerCase();
  }
  return given;
}

const connect = (deployment: Deployment) =>
  AuditChain.connect(process.env.RPC_URL ?? "http://127.0.0.1:8545", deployment);

/** @throws {UsageError} */
function readReceipt(named: string): Receipt {
  const path = resolve(CALLED_FROM, named);
  const text = existsSync(path) ? readFileSync(path, "utf8") : named;
  try {
    return decodeReceipt(text.replace(/^examkey-receipt:/i, ""));
  } catch (error) {
    if (error instanceof ProtocolError) throw new UsageError(`--receipt: ${error.message}`);
    throw error;
  }
}

function summaryOf(
  { receipts, last, anchoredTo }: Report,
  { erased }: LostKeys,
  anchors: readonly Anchor[],
): string[] {
  const newest = anchors.at(-1);
  const since = Math.max(0, last - anchoredTo);
  return [
    `${count(receipts, "receipt")} in the log.`,
    ...(erased > 0 ? [`${count(erased, "receipt")} of erased exams: what they say of whom is gone.`] : []),
    newest
      ? `Anchored: 1 to ${anchoredTo}, by ${count(anchors.length, "anchor")}, the last on ${dayOf(newest)}.`
      : "Nothing is anchored yet.",
    `Not anchored yet: ${since}${since > 0 ? ", which the custodian could still drop; who was given one can show it" : ""}.`,
  ];
}

/** Check a receipt by itself. */
async function verifyAlone(receipt: Receipt): Promise<number> {
  const { consentLedger, custodian } = givenDeployment();
  if (!consentLedger || !custodian) throw new UsageError("--alone needs CONSENT_LEDGER and CUSTODIAN.");
  const chain = await connect({ consentLedger, custodian, accessLog: null });
  try {
    console.log(describeReceipt(receipt));
    return conclude(await checkSignature(receipt, { chain, custodian: custodian as Hex }));
  } finally {
    chain.close();
  }
}

async function verify(desk: Desk, receipt: Receipt | null): Promise<number> {
  const about = await readAbout(desk);
  const given = givenDeployment();
  const deployment = { ...about, ...given };
  const taken = PARTS.filter((part) => given[part] === undefined).map((part) => VARIABLES[part]);
  if (taken.length > 0) console.log(`By the gateway's own word: ${taken.join(", ")}.`);
  const chain = await connect(deployment);
  try {
    const context = { chain, anchors: await chain.anchors(), custodian: deployment.custodian as Hex };
    const check = new LogCheck(context);
    const keys = new KeyCheck(await readKeyIds(desk));
    let found: Hex | null = null;
    for await (const entry of readEntries(desk)) {
      await check.add(entry);
      keys.add(entry);
      if (entry.sequence === receipt?.sequence) found = entry.isWhole ? entry.digest : LOST;
    }
    const report = await check.end(about.last);
    const lost = keys.end(await readKeyIds(desk));
    for (const line of summaryOf(report, lost, context.anchors)) console.log(line);
    const ofReceipt = receipt ? await verifyReceipt(receipt, found, context) : [];
    return conclude([...report.findings, ...lost.findings, ...ofReceipt]);
  } finally {
    chain.close();
  }
}

/** What there is to say against a receipt, or against the log because of it. */
async function verifyReceipt(
  receipt: Receipt,
  found: Hex | null,
  context: ConstructorParameters<typeof LogCheck>[0],
): Promise<string[]> {
  console.log(describeReceipt(receipt));
  const unsigned = await checkSignature(receipt, context);
  if (unsigned.length > 0) return unsigned;
  const { finding, said } = compareWithLog(receipt, found, context.anchors);
  if (said) console.log(said);
  return finding ? [finding] : [];
}

function conclude(findings: readonly string[]): number {
  for (const finding of findings) console.error(finding);
  console.log(findings.length === 0 ? "Nothing was found." : `${count(findings.length, "finding")}.`);
  return findings.length === 0 ? 0 : 1;
}

await runScript(async () => {
  const { values } = readArguments({
    options: {
      receipt: { type: "string" },
      alone: { type: "boolean", default: false },
      data: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const receipt = values.receipt === undefined ? null : readReceipt(values.receipt);
  if (!values.alone) return verify(Desk.find(values.data), receipt);
  if (!receipt) throw new UsageError("--alone is for a --receipt.");
  return verifyAlone(receipt);
});
