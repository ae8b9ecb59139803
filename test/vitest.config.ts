import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const minutes = (count: number) => count * 60_000;

/**
 * One project for each room. Those that start chains, gateways and browsers get more time.
 * @param globalSetup what is made once, before the first of its tests
 */
function project(name: string, timeout: number, globalSetup: string[] = []) {
  return {
    extends: true as const,
    test: {
      name,
      include: [`test/${name}/**/*.test.{ts,tsx}`],
      testTimeout: timeout,
      hookTimeout: timeout,
      teardownTimeout: minutes(1),
      globalSetup,
    },
  };
}

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    environment: "node",
    allowOnly: false,
    // Files of all projects run side by side. Many wait for blocks and polls: a third worker uses what they leave of two cores.
    maxWorkers: 3,
    // Once, before anything runs: compiling in several workers at a time fails.
    globalSetup: "test/compile.ts",
    projects: [
      project("house", minutes(1)),
      project("protocol", minutes(1)),
      project("contracts", minutes(2)),
      project("gateway", minutes(2)),
      project("app", minutes(2)),
      project("e2e", minutes(4), ["test/buildApp.ts"]),
    ],
  },
});
