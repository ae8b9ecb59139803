/**
 * Turns: of all that send transactions with one key, one at a time asks for a nonce and gives its transaction to a node.
 * Then the next one is told the nonce after it, and no transaction, and no raised fee, replaces another's.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "../database/database.ts";
import { giveBackLease, takeLease } from "../database/lease.ts";

/** Does the work once those before it are done, whatever became of them. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/** Seconds after which the next one goes on, should a gateway be gone in its turn: longer than a node takes to answer. */
const LONGEST = 30;

/** Milliseconds between two looks at another gateway's turn. */
const PACE = 50;

/** Turns within this process. */
export function turns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

/** Turns of all gateways over a database. @param name what the turns are at */
export function sharedTurns(database: Database, name: string): Turns {
  const own = turns();
  return (work) =>
    own(async () => {
      const lease = { name, holder: randomUUID(), seconds: LONGEST };
      while (!(await takeLease(database, lease))) await delay(PACE);
      try {
        return await work();
      } finally {
        // One that cannot be given back ends by itself.
        await giveBackLease(database, lease).catch(() => undefined);
      }
    });
}
