/** Very many grants, in as few transactions as the chain takes. */

/** The most gas that EIP-7825 lets one transaction take. */
export const MOST_GAS = 2n ** 24n;

/** Grants that fit into that. */
const PER_TRANSACTION = 600;

/**
 * Write grants until there are as many.
 * @param written how many there are
 * @param send grants these resources, which nothing else names, by one transaction
 * @param progress called every hundred transactions, with how many there are
 */
export async function fill(
  written: number,
  grants: number,
  send: (resources: string[]) => Promise<void>,
  progress: (written: number) => void | Promise<void>,
): Promise<void> {
  for (let first = written, sent = 1; first < grants; sent += 1) {
    const resources = resourcesFrom(first, Math.min(PER_TRANSACTION, grants - first));
    await send(resources);
    first += resources.length;
    if (sent % 100 === 0) await progress(first);
  }
}

function resourcesFrom(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `0x${(first + index).toString(16).padStart(64, "0")}`);
}
