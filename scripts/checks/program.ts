import { spawn } from "node:child_process";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "..", "..");

export interface Outcome {
  /** The exit code; null when the program could not be started or was ended by a signal. */
  code: number | null;
  /** Everything that it printed. */
  output: string;
}

/** Runs a program in the project's root; shows its output as it comes where `live`, and returns it all. */
export function runProgram(
  file: string,
  args: string[],
  { live = false, env = {} }: { live?: boolean; env?: Record<string, string> } = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const keep = (chunk: string) => {
      output += chunk;
      if (live) process.stdout.write(chunk);
    };
    child.stdout.setEncoding("utf8").on("data", keep);
    child.stderr.setEncoding("utf8").on("data", keep);
    child.on("error", (error) => resolve({ code: null, output: error.message }));
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** Runs a dependency's command-line tool with our own Node, given its script within node_modules. */
export function runTool(script: string, args: string[], options?: Parameters<typeof runProgram>[2]) {
  return runProgram(process.execPath, [join(ROOT, "node_modules", script), ...args], options);
}
