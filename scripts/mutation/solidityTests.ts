import {
  type Artifact,
  type ArtifactId,
  CollectStackTraces,
  EdrContext,
  L1_CHAIN_TYPE,
  l1GenesisState,
  l1HardforkLatest,
  l1HardforkToString,
  l1SolidityTestRunnerFactory,
  type SolidityTestRunnerConfigArgs,
  type SuiteResult,
  TestStatus,
} from "@nomicfoundation/edr";
import hre from "hardhat";
import { ROOT } from "../checks/program.ts";
import { COMPILER_VERSION, type Compilation, compile } from "./compiler.ts";

/** How hard the fuzzer tries with each mutant. */
export interface Budget {
  fuzzRuns: number;
  invariantRuns: number;
  invariantDepth: number;
}

/** A test that fails, and why. */
export interface Failure {
  test: string;
  reason: string;
}

/** More than any test needs, and little enough to end a loop that a mutant made endless: a unit test, and all others. */
const [UNIT_GAS, GAS] = [1n << 27n, 1n << 30n];

const HARDFORK = l1HardforkLatest();

const SEED = "0x6d7574616e7473";

const [compiler] = hre.config.solidity.profiles.default?.compilers ?? [];

/** Unoptimised, because what a program does is judged here, not what it costs; through the IR, which has room for every variable. */
const SETTINGS = {
  evmVersion: compiler?.settings.evmVersion,
  viaIR: true,
  optimizer: { enabled: false },
  metadata: { appendCBOR: false, bytecodeHash: "none" },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode", "evm.deployedBytecode"] } },
};

let shared: Promise<EdrContext> | undefined;

/** A process may have one of these. */
function edr(): Promise<EdrContext> {
  shared ??= (async () => {
    const context = new EdrContext();
    await context.registerSolidityTestRunnerFactory(L1_CHAIN_TYPE, l1SolidityTestRunnerFactory());
    return context;
  })();
  return shared;
}

/** Tests by what they cost: what fails early spares the rest. */
interface Phases {
  unit: string[];
  fuzz: string[];
  invariant: string[];
}

/** The project's Solidity tests, compiled against a schema, once for all mutants. */
export class SolidityTests {
  readonly #context: EdrContext;
  readonly #artifacts: Artifact[];
  readonly #suites: ArtifactId[];
  readonly #phases: Phases;
  readonly #budget: Budget;

  private constructor(context: EdrContext, { contracts = {} }: Compilation, budget: Budget) {
    this.#context = context;
    this.#budget = budget;
    this.#artifacts = [];
    this.#suites = [];
    this.#phases = { unit: [], fuzz: [], invariant: [] };
    for (const [source, ofSource] of Object.entries(contracts)) {
      for (const [name, contract] of Object.entries(ofSource)) this.#add({ source, name }, contract);
    }
  }

  /** @throws Error when the sources do not compile, or a test fails without a mutant */
  static async open(sources: ReadonlyMap<string, string>, budget: Budget): Promise<SolidityTests> {
    const compilation = compile(sources, SETTINGS);
    const broken = compilation.errors?.find(({ severity }) => severity === "error");
    if (broken) throw new Error(broken.formattedMessage);
    const tests = new SolidityTests(await edr(), compilation, budget);
    const failure = await tests.judge(0);
    if (failure) throw new Error(`Without a mutant, ${failure.test} fails: ${failure.reason}`);
    return tests;
  }

  get count(): number {
    return Object.values(this.#phases).flat().length;
  }

  /** The first failure of the tests with a mutant, or null when it survives them all; 0 is no mutant. */
  async judge(mutant: number): Promise<Failure | null> {
    const { unit, fuzz, invariant } = this.#phases;
    return (
      (await this.#run(mutant, unit, UNIT_GAS)) ??
      (await this.#run(mutant, fuzz, GAS)) ??
      (await this.#run(mutant, invariant, GAS))
    );
  }

  #add({ source, name }: { source: string; name: string }, { abi, evm }: Contract): void {
    const id = { name, source, solcVersion: COMPILER_VERSION };
    this.#artifacts.push({
      id,
      contract: {
        abi: JSON.stringify(abi),
        bytecode: `0x${evm.bytecode.object}`,
        linkReferences: evm.bytecode.linkReferences,
        deployedBytecode: `0x${evm.deployedBytecode.object}`,
        deployedLinkReferences: evm.deployedBytecode.linkReferences,
      },
    });
    if (!source.endsWith(".t.sol") || evm.bytecode.object === "") return;
    this.#suites.push(id);
    for (const { name: test = "", inputs = [] } of abi) {
      if (test.startsWith("invariant")) this.#phases.invariant.push(test);
      else if (test.startsWith("test")) this.#phases[inputs.length > 0 ? "fuzz" : "unit"].push(test);
    }
  }

  async #run(mutant: number, names: string[], gasLimit: bigint): Promise<Failure | null> {
    if (names.length === 0) return null;
    const config = { ...this.#configFor(mutant, names), gasLimit };
    const { promise: finished, resolve } = Promise.withResolvers<void>();
    const results: SuiteResult[] = [];
    const keep = (result: SuiteResult) => {
      results.push(result);
      if (results.length === this.#suites.length) resolve();
    };
    await this.#context.runSolidityTests(L1_CHAIN_TYPE, this.#artifacts, this.#suites, config, {}, keep);
    await finished;
    const failed = results
      .flatMap(({ testResults }) => testResults)
      .find(({ status }) => status === TestStatus.Failure);
    return failed ? { test: failed.name, reason: failed.reason ?? "no reason given" } : null;
  }

  #configFor(mutant: number, names: string[]): SolidityTestRunnerConfigArgs {
    const { profiles } = hre.config.test.solidity;
    const { fuzz, invariant } = profiles.default ?? {};
    const { fuzzRuns, invariantRuns, invariantDepth } = this.#budget;
    return {
      projectRoot: ROOT,
      hardfork: l1HardforkToString(HARDFORK),
      localPredeploys: l1GenesisState(HARDFORK),
      blockCoinbase: Buffer.from(mutant.toString(16).padStart(40, "0"), "hex"),
      disableBlockGasLimit: true,
      disableTransactionGasCap: true,
      collectStackTraces: CollectStackTraces.OnFailure,
      testPattern: `^(${names.join("|")})\\(`,
      fuzz: { ...fuzz, runs: fuzzRuns, seed: SEED },
      invariant: { ...invariant, runs: invariantRuns, depth: invariantDepth, shrinkRunLimit: 0 },
    };
  }
}

type Contract = NonNullable<Compilation["contracts"]>[string][string];
