import { type ChildProcess, fork } from "node:child_process";
import { createWriteStream } from "node:fs";
import { ROOT } from "../checks/program.ts";

/** How long a child may take to end by itself. */
const PATIENCE_MS = 5_000;

/** A child said why it cannot go on, or went. */
export class ChildFailure extends Error {
  override readonly name = "ChildFailure";
}

export interface Child<Ready> {
  name: string;
  /** What the child reported when it was ready. */
  ready: Ready;
  /** Resolves when the child has ended, with how. */
  ended: Promise<string>;
  stop(): Promise<void>;
}

function howItEnded(code: number | null, signal: string | null): string {
  return signal === null ? `exit code ${code}` : signal;
}

async function stopProcess(child: ChildProcess, ended: Promise<string>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  await ended;
  clearTimeout(timer);
}

/**
 * Starts one of our programs as a child, its output in `logFile`, and waits for its `{ ready: true }` message.
 * @throws {ChildFailure} when it ends before; the last lines that it printed are in the message
 */
export function startChild<Ready>(
  name: string,
  script: string,
  env: Record<string, string>,
  logFile: string,
  abort: AbortSignal,
): Promise<Child<Ready>> {
  const child = fork(script, [], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const log = createWriteStream(logFile, { mode: 0o600 });
  let last = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      log.write(chunk);
      last = (last + chunk).slice(-2_000);
    });
  }
  const ended = new Promise<string>((resolve) => {
    child.on("close", (code, signal) => resolve(howItEnded(code, signal)));
  });
  const stop = () => stopProcess(child, ended);
  abort.addEventListener("abort", () => void stop(), { once: true });
  return new Promise((resolve, reject) => {
    child.on("message", (message: { ready?: boolean }) => {
      if (message.ready) resolve({ name, ready: message as Ready, ended, stop });
    });
    void ended.then((how) => {
      reject(new ChildFailure(`The ${name} could not start (${how}): ${last.trim() || `see ${logFile}`}`));
    });
  });
}
