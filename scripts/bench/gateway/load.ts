/** Load by wrk: one client for all contenders, written in C, so that it takes little of what they share. */
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../../checks/program.ts";

/** What is asked for, over and over: each path in turn, on each connection. */
export type Load = {
  /** Scheme, host and port. */
  origin: string;
  paths: readonly string[];
  headers: Readonly<Record<string, string>>;
  connections: number;
  seconds: number;
};

/** What came of it. Latencies, in milliseconds, are from a request to the last byte of its answer. */
export type Run = { perSecond: number; bytesPerSecond: number; p50: number; p99: number };

const WRK = "/usr/bin/wrk";

/** Whether wrk is here (Debian's package of that name). */
export function hasWrk(): boolean {
  return existsSync(WRK);
}

/** Run wrk, on one thread. @throws where an answer was not 2xx, or did not come whole */
export async function run(load: Load): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), "examkey-wrk-"));
  try {
    const script = join(folder, "load.lua");
    await writeFile(script, scriptOf(load));
    const { connections, seconds, origin } = load;
    const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "30s", "-s", script, origin];
    const { code, output } = await runProgram(WRK, args);
    const found = /^RESULT (.*)$/m.exec(output)?.[1];
    if (code !== 0 || !found) throw new Error(`wrk failed:\n${output}`);
    const { requests, bytes, duration, errors, ...latencies } = JSON.parse(found) as Record<string, number>;
    if (errors !== 0) throw new Error(`${errors} of ${requests} requests failed:\n${output}`);
    const perSecond = (value = 0) => value / ((duration ?? 0) / 1e6);
    const { p50 = 0, p99 = 0 } = latencies;
    return {
      perSecond: perSecond(requests),
      bytesPerSecond: perSecond(bytes),
      p50: p50 / 1_000,
      p99: p99 / 1_000,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** wrk counts in microseconds. A path is picked in turn, not at random, so that all contenders give the same bytes. */
function scriptOf({ paths, headers }: Load): string {
  const fields = Object.entries(headers).map(([name, value]) => `[${quoted(name)}] = ${quoted(value)}`);
  return `
local paths = { ${paths.map(quoted).join(", ")} }
local headers = { ${fields.join(", ")} }
local next_path = 0
function request()
  next_path = next_path % #paths + 1
  return wrk.format("GET", paths[next_path], headers)
end
function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    'RESULT {"requests": %d, "bytes": %d, "duration": %d, "errors": %d, "p50": %d, "p99": %d}',
    summary.requests, summary.bytes, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
`;
}

/** A string in Lua. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
