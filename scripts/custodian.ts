/** `npm run custodian`: what a custodian and a registrar sign once, from a shell. */
import { resolve } from "node:path";
import { isError } from "ethers";
import { getAddress } from "viem";
import { Custody } from "./custody.ts";
import { writeDescriptors } from "./descriptors.ts";
import { readAddress, runScript } from "./desk.ts";
import { CALLED_FROM, readArguments, UsageError } from "./usage.ts";

const HELP = `npm run custodian -- operator 0x…     the custodian lets a gateway's key register its exams
    --remove            … or no longer
npm run custodian -- badge 0x…        the custodian names a practitioner's badge, which signs emergencies
    --remove            … or no longer
npm run custodian -- list 0x…         the registrar lists a custodian, so that apps find its gateway
    --name TEXT         … under the name that patients read
    --gateway URL       … with the public URL of its gateway
npm run custodian -- descriptors DIR  write what tells wallets how to show what is signed (ERC-7730)
    --name TEXT         … under the name that wallets show (ExamKey)
    --url URL           … with a page about it

Environment: RPC_URL (http://127.0.0.1:8545), KEY (the private key that signs: the custodian's, or the
registrar's; descriptors need none), and the contracts' addresses: CONSENT_LEDGER, CUSTODIAN_REGISTRY,
and, for badges and a descriptor of its own, EMERGENCY_ACCESS.`;

function fromEnvironment(name: string, pattern: RegExp, what: string): string {
  const value = process.env[name] ?? "";
  if (!pattern.test(value)) throw new UsageError(`${name} is ${value ? "not" : "missing:"} ${what}.`);
  return value;
}

const contractFrom = (name: string) => fromEnvironment(name, /^0x[0-9a-fA-F]{40}$/, "a contract's address");

async function act(
  custody: Custody,
  act: string | undefined,
  whom: string | undefined,
  values: Options,
): Promise<string> {
  if (act === "descriptors") return describe(custody, whom, values);
  if (act !== "operator" && act !== "badge" && act !== "list")
    throw new UsageError("Say `operator`, `badge`, `list` or `descriptors`. `--help` says more.");
  const key = fromEnvironment("KEY", /^0x[0-9a-fA-F]{64}$/, "a private key, 0x and 64 digits");
  if (act === "operator") {
    const operator = readAddress("operator", whom);
    await custody.nameOperator(contractFrom("CONSENT_LEDGER"), key, operator, !values.remove);
    return `${operator} ${values.remove ? "is no operator any more" : "may register exams"}.`;
  }
  if (act === "badge") {
    const badge = readAddress("badge", whom);
    await custody.nameBadge(contractFrom("EMERGENCY_ACCESS"), key, badge, !values.remove);
    return `${badge} ${values.remove ? "signs no emergencies any more" : "may sign emergencies"}.`;
  }
  const custodian = readAddress("list", whom);
  const { name, gateway } = values;
  if (!name || !gateway || !URL.canParse(gateway))
    throw new UsageError("A listing needs --name and --gateway URL.");
  const listing = { custodian, name, gateway: gateway.replace(/\/+$/, "") };
  await custody.list(contractFrom("CUSTODIAN_REGISTRY"), key, listing);
  return `${name} (${custodian}) is listed with ${listing.gateway}.`;
}

async function describe(
  { provider }: Custody,
  folder: string | undefined,
  { name = "ExamKey", url }: Options,
): Promise<string> {
  if (!folder) throw new UsageError("Name the folder that the descriptors go to.");
  if (url !== undefined && !URL.canParse(url)) throw new UsageError("--url: give the URL of a page.");
  const paths = await writeDescriptors({
    provider,
    consentLedger: getAddress(contractFrom("CONSENT_LEDGER")),
    emergencyAccess: process.env.EMERGENCY_ACCESS ? getAddress(contractFrom("EMERGENCY_ACCESS")) : null,
    publisher: { owner: name, ...(url === undefined ? {} : { url }) },
    folder: resolve(CALLED_FROM, folder),
  });
  return paths.join("\n");
}

interface Options {
  remove?: boolean | undefined;
  name?: string | undefined;
  gateway?: string | undefined;
  url?: string | undefined;
}

await runScript(async () => {
  const { values, positionals } = readArguments({
    allowPositionals: true,
    options: {
      remove: { type: "boolean" },
      name: { type: "string" },
      gateway: { type: "string" },
      url: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help || positionals.length === 0) {
    console.log(HELP);
    return 0;
  }
  const custody = new Custody(process.env.RPC_URL ?? "http://127.0.0.1:8545");
  try {
    console.log(await act(custody, positionals[0], positionals[1], values));
    return 0;
  } catch (error) {
    if (isError(error, "NETWORK_ERROR"))
      throw new Error("The chain does not answer at RPC_URL.", { cause: error });
    throw error;
  } finally {
    custody.close();
  }
});
