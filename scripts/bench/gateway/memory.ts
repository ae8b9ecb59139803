/** What processes hold of memory, as Linux tells. */
import { readdirSync, readFileSync } from "node:fs";

/** How often it is looked at, in milliseconds. */
const PACE = 100;

/** Resident bytes of processes and of those that they started. */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + residentOf(pid) + residentBytes(childrenOf(pid)), 0);
}

/** The most that processes hold while `work` goes on, in bytes, and what came of the work. */
export async function mostResident<T>(
  pids: readonly number[],
  work: () => Promise<T>,
): Promise<{ result: T; most: number }> {
  let most = residentBytes(pids);
  const timer = setInterval(() => {
    most = Math.max(most, residentBytes(pids));
  }, PACE);
  try {
    return { result: await work(), most };
  } finally {
    clearInterval(timer);
  }
}

/** Handles that a process has open: files, sockets, pipes. */
export function openHandles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function residentOf(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    // It has ended.
    return 0;
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
