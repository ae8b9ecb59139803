/** The gateway as a process of its own, as a hospital runs it. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

export interface GatewayProcess {
  child: ChildProcess;
  /** Its exit code. */
  ended: Promise<number>;
  /** Null where it ended instead. */
  ready: { url: string; adminUrl: string } | null;
  stdout(): string;
  stderr(): string;
  /** Killed, where it still runs. */
  kill(): Promise<void>;
}

/** Start it as `npm run gateway` does, and wait until it is ready or has ended. */
export async function startProcess(environment: Record<string, string>): Promise<GatewayProcess> {
  // Its modules are compiled once for all tests, where they say where.
  const { NODE_COMPILE_CACHE = "" } = process.env;
  const [execArgv, [program = "", ...args]] = gatewayCommand();
  const child = fork(program, args, {
    env: { NODE_COMPILE_CACHE, ...environment },
    execArgv,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const ended = once(child, "close").then(([code]) => Number(code));
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]?.setEncoding("utf8").on("data", (chunk: string) => {
      output[stream] += chunk;
    });
  }
  const ready = await Promise.race([
    once(child, "message").then(([message]) => message as GatewayProcess["ready"]),
    ended.then(() => null),
  ]);
  return {
    child,
    ended,
    ready,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Node's options, and the program with its arguments, of `npm run gateway`. */
function gatewayCommand(): [options: string[], program: string[]] {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
  const [, ...words] = scripts.gateway.split(" ") as string[];
  const isOption = (word: string) => word.startsWith("-");
  return [words.filter(isOption), words.filter((word) => !isOption(word))];
}
