/** `npm run erase`: destroys what ties an exam to its study, and the keys of who read it, at a running gateway. */
import { getAddress, Interface, JsonRpcProvider, Wallet } from "ethers";
import { consentLedgerAbi } from "../protocol/abi/consentLedger.ts";
import {
  type Erasable,
  type ErasureStep,
  erasableSchema,
  erasureStepSchema,
  erasuresSchema,
} from "../protocol/adminApi.ts";
import { confirm, count, Desk, DeskError, runScript } from "./desk.ts";
import { day } from "./outcome.ts";
import { readArguments, UsageError } from "./usage.ts";

const HELP = `npm run erase -- [options]     erase an exam at a running gateway

  --study UID      the study with this StudyInstanceUID, or …
  --exam ID        … that of the exam with this id (0x…), or …
  --patient ID     … all exams of this patient id, and its enrolment: the patient leaves
    --issuer TEXT    … as this issuer gave it, where several did
  --withhold       the archive keeps the study, and it is not to be registered again (needs the gateway's DATA_KEY)
  --release        a --study that was withheld may be registered again
  --list           what was begun and is not whole
  --dry-run        show what would be erased, and do nothing
  --yes            without asking
  --data DIR       where the gateway keeps its data (.examkey)
  --help           this text

Environment: KEY, the custodian's private key, which retires the exam on the ledger at RPC_URL (http://127.0.0.1:8545).
Without it, and where the gateway has no CUSTODIAN_KEY, the transaction is printed for the custodian's wallet to send, and
the command goes on when it is mined.

From its beginning the exam opens for nobody. It may be ended at any time and run again until it is whole. It cannot be undone.`;

type Named = { studyInstanceUid: string } | { examId: string } | { patientId: string; issuer?: string };

const ledger = new Interface(consentLedgerAbi);

function describe({ studies, leaving }: Erasable): string[] {
  const exams = studies.flatMap((study) => [
    `${day(study.studyDate)}  ${study.description ?? "(no description)"}, of ${study.patientName ?? "nobody named"} (${study.patientId ?? "no patient id"})`,
    `  study ${study.studyInstanceUid}${study.isInArchive ? "" : ", which the archive does not have any more"}`,
    ...study.exams.map(
      ({ examId, state, owner, receipts, grants }) =>
        `  exam ${examId}, ${state}, of ${getAddress(owner)}: ${count(receipts, "receipt")}, ${count(grants, "grant")}`,
    ),
  ]);
  const left = leaving.map(
    ({ patientId, issuer, address }) =>
      `enrolment of ${patientId}${issuer ? ` (issued by ${issuer})` : ""} to ${getAddress(address)}`,
  );
  return [...exams, ...left];
}

/** The custodian's key at work, where it was given. */
class Retirement {
  readonly #key: string | null;
  readonly #rpcUrl: string;
  readonly #seen = new Set<string>();

  constructor(key: string | undefined, rpcUrl = "http://127.0.0.1:8545") {
    if (key !== undefined && !/^0x[0-9a-fA-F]{64}$/.test(key))
      throw new UsageError("KEY is not a private key, 0x and 64 digits.");
    this.#key = key ?? null;
    this.#rpcUrl = rpcUrl;
  }

  /** Send what is waited for, or print it; once for each exam. */
  async of({ examId, transaction }: Extract<ErasureStep, { event: "waiting" }>): Promise<void> {
    if (transaction === null || this.#seen.has(examId)) return;
    this.#seen.add(examId);
    if (this.#key !== null) return this.#send(this.#key, transaction);
    const call = ledger.parseTransaction(transaction);
    const [patient, commitment] = call?.args ?? [];
    console.log(`The custodian has to retire the exam. To be sent from ${getAddress(transaction.from)}:`);
    console.log(`  to    ${getAddress(transaction.to)}   ConsentLedger.retire(${patient}, ${commitment})`);
    console.log(`  data  ${transaction.data}`);
    console.log("Waiting until it is mined. Ended now, this command goes on from here when it is run again.");
  }

  async #send(key: string, transaction: { from: string; to: string; data: string }): Promise<void> {
    const provider = new JsonRpcProvider(this.#rpcUrl, undefined, {
      cacheTimeout: -1,
      pollingInterval: 250,
    });
    try {
      const wallet = new Wallet(key, provider);
      if (wallet.address !== getAddress(transaction.from))
        throw new UsageError(`KEY is not the custodian's, ${getAddress(transaction.from)}.`);
      const { to, data } = transaction;
      await (await wallet.sendTransaction({ to, data })).wait();
    } finally {
      provider.destroy();
    }
  }
}

async function erase(desk: Desk, named: Named, withhold: boolean): Promise<number> {
  const retirement = new Retirement(process.env.KEY, process.env.RPC_URL);
  for await (const line of desk.lines("/erasures", { named, withhold })) {
    const step = erasureStepSchema.parse(line);
    if (step.event === "closed") console.log("Closed: nobody opens it from here on.");
    if (step.event === "waiting") await retirement.of(step);
    if (step.event === "retired") console.log(`Retired on the ledger: ${step.examId}`);
    if (step.event === "destroyed") console.log("Destroyed: salts, digests, UIDs and keys.");
    if (step.event === "swept") {
      console.log("Swept: the tables were rewritten without them.");
      if (!step.isLogCut)
        console.log(
          "The database's write-ahead log still has them: docs/operations.md says how it is cut off.",
        );
      console.log("Backups, and what others were given, are not in this command's reach.");
      return 0;
    }
  }
  throw new DeskError("The gateway broke off. Run the same again: it goes on from where it was.");
}

async function listUnderWay(desk: Desk): Promise<number> {
  const { underWay } = erasuresSchema.parse(await desk.ask("/erasures"));
  for (const examId of underWay) console.log(`begun, and not whole: npm run erase -- --exam ${examId}`);
  if (underWay.length === 0) console.log("Nothing was begun that is not whole.");
  return 0;
}

async function run(desk: Desk, named: Named, how: { withhold: boolean; dry: boolean; yes: boolean }) {
  const found = erasableSchema.parse(await desk.ask("/erasures/preview", named));
  for (const line of describe(found)) console.log(line);
  const again = found.leaving.length === 0 && !how.withhold && found.studies.some((one) => one.isFoundAgain);
  if (again) console.log("The archive has it, and it would be registered again: delete it there first.");
  if (how.dry) return 0;
  if (!how.yes && !(await confirm("Erase this? It cannot be undone."))) {
    console.log("Nothing was done.");
    return 1;
  }
  return erase(desk, named, how.withhold);
}

await runScript(async () => {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { values } = readArguments({
    options: {
      study: text,
      exam: text,
      patient: text,
      issuer: text,
      withhold: flag,
      release: flag,
      list: flag,
      "dry-run": flag,
      yes: flag,
      data: text,
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const { study, exam, patient, issuer, withhold, release, data } = values;
  if ([study, exam, patient, values.list || undefined].filter((one) => one !== undefined).length !== 1)
    throw new UsageError("Give one of --study, --exam, --patient and --list. `--help` lists the options.");
  if (values.list) return listUnderWay(Desk.find(data));
  if (exam !== undefined && !/^0x[0-9a-f]{64}$/i.test(exam))
    throw new UsageError(`--exam: "${exam}" is not an exam's id: 0x and 64 digits.`);
  if (release) {
    if (study === undefined) throw new UsageError("--release takes the --study that was withheld.");
    await Desk.find(data).ask("/erasures/release", { studyInstanceUid: study });
    console.log("It is registered again when it is found.");
    return 0;
  }
  const how = { withhold, dry: values["dry-run"], yes: values.yes };
  if (study !== undefined) return run(Desk.find(data), { studyInstanceUid: study }, how);
  if (exam !== undefined) return run(Desk.find(data), { examId: exam.toLowerCase() }, how);
  return run(Desk.find(data), { patientId: patient ?? "", ...(issuer !== undefined && { issuer }) }, how);
});
