import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const minutes = (count: number) => count * 60_000;

/**
 * One project for each room. Those that start chains, gateways and browsers get more time.
 * @param more `isolate: false` where a worker goes on to the next file with the modules that it has: a file leaves nothing
 *   behind in them, and to load and to warm up the gateway, the chain and the database takes longer than many files' tests
 */
function project(name: string, timeout: number, more: { isolate?: false; globalSetup?: string } = {}) {
  return {
    extends: true as const,
    test: {
      name,
      include: [`test/${name}/**/*.test.{ts,tsx}`],
      testTimeout: timeout,
      hookTimeout: timeout,
      teardownTimeout: minutes(1),
      ...more,
    },
  };
}

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    environment: "node",
    allowOnly: false,
    execArgv: ["--import=./scripts/resolveAtOnce.mjs"],
    // Files of all projects run side by side. Many wait for blocks and polls: two more workers use what they leave of two cores.
    // What is soaked has them for itself.
    maxWorkers: process.env.EXAMKEY_SOAK === "1" ? 1 : 4,
    // Once, before anything runs: compiling in several workers at a time fails.
    globalSetup: "test/compile.ts",
    projects: [
      project("house", minutes(1)),
      project("protocol", minutes(1), { isolate: false }),
      project("contracts", minutes(2), { isolate: false }),
      project("gateway", minutes(2), { isolate: false }),
      project("app", minutes(2), { isolate: false }),
      project("e2e", minutes(4), { globalSetup: "test/buildApp.ts" }),
    ],
  },
});
