import { cpSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { ROOT, runTool } from "../checks/program.ts";

/** What is not copied of the project: what is built, and the packages, which are linked. */
const LEFT = ["node_modules", ".git", "artifacts", "cache", "dist"];

/** The project's own settings, but for what a schema needs: room, and the mutant's number as the chain's COINBASE. */
const CONFIG = `import own from "./hardhat.own.ts";

const compiler = {
  ...own.solidity.profiles.default,
  settings: { ...own.solidity.profiles.default.settings, optimizer: { enabled: false } },
};
const chain = {
  ...own.networks.default,
  allowUnlimitedContractSize: true,
  blockGasLimit: 1_000_000_000,
  transactionGasCap: false,
  coinbase: "0x" + Number(process.env.MUTANT ?? 0).toString(16).padStart(40, "0"),
};

export default {
  ...own,
  solidity: { ...own.solidity, profiles: { default: compiler, production: compiler } },
  networks: { ...own.networks, default: chain, node: chain },
};
`;

/**
 * The tests that know from elsewhere what the contracts should say: from the protocol, and from wallets. Others are as
 * good, but slow, or measure the build that is deployed, which a schema is not.
 */
const TESTS = [
  "protocol",
  "typedData",
  "batches",
  "receipts",
  "emergency",
  "rivals",
  "signatures.acts",
  "signatures.batches",
  "signatures.lifecycle",
  "signatures.refused",
].map((name) => `test/contracts/${name}.test.ts`);

/** Milliseconds: a machine that judges several mutants at once is slow, and slowness kills none. */
const PATIENCE = 600_000;

/** How much is shown of what a failed run printed. */
const LAST = 4_000;

/** Some of the contract tests in TypeScript, in a copy of the project whose contracts are a schema. */
export class ContractTests {
  readonly #folder: string;
  /** How many tests pass without a mutant. */
  #tests = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws Error when the tests fail without a mutant */
  static async open(sources: ReadonlyMap<string, string>): Promise<ContractTests> {
    const folder = mkdtempSync(join(tmpdir(), "examkey-mutate-"));
    const tests = new ContractTests(folder);
    try {
      for (const part of readdirSync(ROOT).filter((name) => !LEFT.includes(name))) {
        cpSync(join(ROOT, part), join(folder, part), { recursive: true });
      }
      symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
      renameSync(join(folder, "hardhat.config.ts"), join(folder, "hardhat.own.ts"));
      writeFileSync(join(folder, "hardhat.config.ts"), CONFIG);
      for (const [path, text] of sources) writeFileSync(join(folder, path), text);
      const { output, code } = await tests.#run(0);
      tests.#tests = passedIn(output);
      if (code !== 0 || tests.#tests === 0)
        throw new Error(`Without a mutant, the contract tests fail.\n${output.slice(-LAST)}`);
      return tests;
    } catch (error) {
      tests.close();
      throw error;
    }
  }

  /** The name of a test that fails with the mutant, or null when it survives them all. */
  async judge(mutant: number): Promise<string | null> {
    const { code, output } = await this.#run(mutant);
    // A run that a failure cut short may end with the code of a success, and then tells of fewer tests.
    if (code === 0 && passedIn(output) === this.#tests) return null;
    const [, test = "a contract test"] = output.match(/^\s*FAIL\s+(.+)$/m) ?? [];
    return test;
  }

  close(): void {
    if (basename(this.#folder).startsWith("examkey-mutate-")) {
      rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  #run(mutant: number) {
    const options = ["run", "--config=test/vitest.config.ts", "--project=contracts", "--bail=1"];
    const patience = [`--testTimeout=${PATIENCE}`, `--hookTimeout=${PATIENCE}`];
    return runTool("vitest/vitest.mjs", [...options, ...patience, ...TESTS], {
      cwd: this.#folder,
      env: { MUTANT: String(mutant) },
    });
  }
}

/** The number of tests that passed, from Vitest's summary; 0 where it has none. */
function passedIn(output: string): number {
  return Number(output.match(/^\s*Tests\s.*?(\d+) passed/m)?.[1] ?? 0);
}
