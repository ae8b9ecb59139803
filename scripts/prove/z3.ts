import { spawnSync } from "node:child_process";
import { withoutBitVectors } from "./shifts.ts";

/** The engines of SMTChecker: CHC finds what stays true over any number of calls; BMC looks at one call alone. */
export type Engine = "chc" | "bmc";

/**
 * How z3 is asked, one way after the other until one of them decides: a search that one order of trying loses itself in
 * is often short in another.
 */
const WAYS: Record<Engine, string[][]> = {
  chc: [["fp.spacer.order_children=1"], [], ["fp.xform.inline_eager=false"]],
  bmc: [0, 7, 11, 23].map((seed) => ["smt.arith.solver=2", `smt.random_seed=${seed}`]),
};

/** z3's version, or null where there is no z3. */
export function z3Version(): string | null {
  const { status, stdout } = spawnSync("z3", ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

/** z3's answer to an SMT-LIB query of SMTChecker's; `unknown` where no way decides within `seconds`. */
export function askZ3(query: string, engine: Engine, seconds: number): string {
  const input = engine === "bmc" ? withoutBitVectors(query) : query;
  for (const way of WAYS[engine]) {
    const options = { input, encoding: "utf8", maxBuffer: 2 ** 30 } as const;
    const { stdout, error } = spawnSync("z3", ["-in", "-smt2", `-T:${seconds}`, ...way], options);
    if (error) throw error;
    if (/^(sat|unsat)/.test(stdout)) return stdout;
  }
  return "unknown";
}
