import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "..", "..");

/** Where output goes to a file or a log, colours are noise, whatever a tool thinks of `CI`. */
const colours = process.stdout.isTTY ? {} : { NO_COLOR: "1", FORCE_COLOR: "0" };

const running = new Set<ChildProcess>();

/** Ends the programs that still run, for when we are told to end ourselves. */
export function endPrograms(): void {
  for (const child of running) child.kill("SIGTERM");
}

/** From now on, when we are told to end, the programs that still run end with us. */
export function endProgramsWithUs(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      endPrograms();
      process.exit(130);
    });
  }
}

export interface Outcome {
  /** The exit code; null when the program could not be started or was ended by a signal. */
  code: number | null;
  /** Everything that it printed. */
  output: string;
}

/** Runs a program, in the project's root unless told; shows its output as it comes where `live`, and returns it all. */
export function runProgram(
  file: string,
  args: string[],
  { live = false, env = {}, cwd = ROOT }: { live?: boolean; env?: Record<string, string>; cwd?: string } = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd,
      env: { ...process.env, ...colours, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(child);
    let output = "";
    const keep = (chunk: string) => {
      output += chunk;
      if (live) process.stdout.write(chunk);
    };
    child.stdout.setEncoding("utf8").on("data", keep);
    child.stderr.setEncoding("utf8").on("data", keep);
    const finish = (outcome: Outcome) => {
      running.delete(child);
      resolve(outcome);
    };
    child.on("error", (error) => finish({ code: null, output: error.message }));
    child.on("close", (code) => finish({ code, output }));
  });
}

/** Runs a dependency's command-line tool with our own Node, given its script within node_modules. */
export function runTool(script: string, args: string[], options?: Parameters<typeof runProgram>[2]) {
  return runProgram(process.execPath, [join(ROOT, "node_modules", script), ...args], options);
}
