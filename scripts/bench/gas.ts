/** What each act costs in gas, beside its limit, its arithmetic floor and its peers. */
import { compileContracts } from "../chain.ts";
import { readArguments, UsageError } from "../usage.ts";
import { openChain } from "./gas/chain.ts";
import { checkCosts } from "./gas/checks.ts";
import { exceeded } from "./gas/limits.ts";
import { deployLedger, measureActs, measurePeers } from "./gas/measure.ts";
import { checksTable, footnotes, limitsTable, otherActsTable } from "./gas/report.ts";

export const HELP = `npm run bench -- gas [options]        what each act costs, beside its limit, its floor and its peers

  --grants N      how many grants to write before check is asked again (1000000, which takes some minutes and 6 GB)`;

/** Measures on a chain of its own and prints tables. Leaves with 1 if a limit does not hold. @throws {UsageError} */
export async function bench(args: string[]): Promise<void> {
  const { values } = readArguments({ args, options: { grants: { type: "string", default: "1000000" } } });
  const grants = Number(values.grants);
  if (!Number.isSafeInteger(grants) || grants < 1)
    throw new UsageError(`--grants: "${values.grants}" is not a number of grants.`);

  await compileContracts();
  const chain = await openChain();
  try {
    const acts = await measureActs(chain);
    const peers = await measurePeers(chain);
    console.log(`${limitsTable(acts, peers)}\n\n${otherActsTable(acts)}\n`);

    console.error(`Writing ${grants.toLocaleString("en-US")} grants …`);
    const checks = await checkCosts(chain, await deployLedger(chain), grants, (written) => {
      console.error(`  ${written.toLocaleString("en-US")}`);
    });
    console.log(`${checksTable(checks, grants)}\n\n${footnotes(acts, chain.hardfork)}`);
    if (exceeded(acts).length > 0) process.exitCode = 1;
  } finally {
    await chain.close();
  }
}
