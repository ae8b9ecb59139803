import { fileURLToPath } from "node:url";
import hardhatEthers from "@nomicfoundation/hardhat-ethers";
import hardhatIgnitionEthers from "@nomicfoundation/hardhat-ignition-ethers";
import { configVariable, defineConfig } from "hardhat/config";
import { testCompiler } from "./scripts/checks/testCompiler.ts";

// One build for everything: what is tested, measured and deployed is the same bytecode.
export const compiler = {
  version: "0.8.37",
  // The compiler comes from npm, so that compiling needs no download.
  path: fileURLToPath(import.meta.resolve("solc/soljson.js")),
  settings: {
    evmVersion: "cancun",
    optimizer: { enabled: true, runs: 1_000_000 },
    viaIR: true,
  },
  isolated: false,
  toolVersionsInBuildInfo: false,
};

const localChain = {
  type: "edr-simulated",
  chainId: 31337,
  // Blocks come with each transaction and at least once a second, and their
  // time never runs ahead of the clock: the gateway compares the two.
  mining: { auto: true, interval: 1000 },
  allowBlocksWithSameTimestamp: true,
} as const;

// `npm run test:deep`: the same tests, with forty times the budget.
const depth = process.env.EXAMKEY_DEEP === "1" ? 40 : 1;

/** How long the Solidity tests look for a counterexample. */
export const fuzzing = {
  fuzz: { runs: 250 * depth },
  invariant: { runs: 10 * depth, depth: 100, failOnRevert: true },
};

// Measuring coverage compiles other bytecode, and so without the time to optimise it: nothing else may take it for the real one.
const measuresCoverage = process.env.EXAMKEY_COVERAGE === "1";
const built = measuresCoverage ? "./coverage/" : "./";
const { evmVersion } = compiler.settings;
const used = measuresCoverage ? { ...compiler, settings: { evmVersion } } : compiler;

export default defineConfig({
  plugins: [hardhatEthers, hardhatIgnitionEthers, testCompiler],
  paths: {
    tests: { solidity: "./test/contracts" },
    artifacts: `${built}artifacts`,
    cache: `${built}cache`,
    ignition: "./scripts/ignition",
  },
  solidity: {
    profiles: { default: used, production: used },
    npmFilesToBuild: ["@openzeppelin/contracts/access/manager/AccessManager.sol"],
  },
  test: {
    solidity: fuzzing,
  },
  networks: {
    default: localChain,
    node: localChain,
    localhost: { type: "http", url: "http://127.0.0.1:8545", chainId: 31337 },
    custom: {
      type: "http",
      url: configVariable("RPC_URL"),
      accounts: [configVariable("DEPLOYER_KEY")],
    },
  },
});
