import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const minutes = (count: number) => count * 60_000;

/** One project for each room. Those that start chains, gateways and browsers come last and get more time. */
function project(name: string, groupOrder: number, timeout: number, maxWorkers: number) {
  return {
    extends: true as const,
    test: {
      name,
      include: [`test/${name}/**/*.test.{ts,tsx}`],
      testTimeout: timeout,
      hookTimeout: timeout,
      teardownTimeout: minutes(1),
      maxWorkers,
      sequence: { groupOrder },
    },
  };
}

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    environment: "node",
    allowOnly: false,
    // Once, before anything runs: compiling in several workers at a time fails.
    globalSetup: "test/compile.ts",
    projects: [
      project("house", 1, minutes(1), 2),
      project("protocol", 2, minutes(1), 2),
      project("contracts", 3, minutes(2), 2),
      project("gateway", 4, minutes(2), 2),
      project("app", 5, minutes(2), 2),
      project("e2e", 6, minutes(4), 1),
    ],
  },
});
