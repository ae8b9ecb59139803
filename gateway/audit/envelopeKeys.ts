/** The keys that envelopes are encrypted with, made when they are first needed. */
import { randomBytes } from "node:crypto";
import { inArray } from "drizzle-orm";
import type { Hex } from "../../protocol/hash.ts";
import type { Database } from "../database/database.ts";
import { envelopeKeys } from "../database/schema.ts";

/** A key, by the id that its envelopes name it by. */
export type EnvelopeKey = { keyId: Hex; key: Hex };

/** Milliseconds that a key may be remembered for: it may be destroyed at any time, here or by another gateway. */
const REMEMBERED = 2_000;

/** Above this many, all are forgotten: simpler than counting uses, and rare. */
const MOST_REMEMBERED = 10_000;

export class EnvelopeKeys {
  readonly #database: Database;
  readonly #remembered = new Map<Hex, { key: EnvelopeKey; until: number }>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** The key of each exam or caller. What is sealed under one that was destroyed meanwhile is as good as erased. */
  async of(subjects: ReadonlySet<Hex>): Promise<ReadonlyMap<Hex, EnvelopeKey>> {
    const keys = new Map<Hex, EnvelopeKey>();
    const now = performance.now();
    for (const subject of subjects) {
      const remembered = this.#remembered.get(subject);
      if (remembered && remembered.until > now) keys.set(subject, remembered.key);
    }
    const others = [...subjects].filter((subject) => !keys.has(subject));
    if (others.length === 0) return keys;
    if (this.#remembered.size > MOST_REMEMBERED) this.#remembered.clear();
    for (const { subject, ...key } of await this.#findOrMake(others)) {
      keys.set(subject, key);
      this.#remembered.set(subject, { key, until: now + REMEMBERED });
    }
    return keys;
  }

  async #findOrMake(subjects: Hex[]) {
    const found = await this.#find(subjects);
    if (found.length === subjects.length) return found;
    const kept = new Set(found.map(({ subject }) => subject));
    const missing = subjects.filter((subject) => !kept.has(subject));
    const made = missing.map((subject) => ({ subject, keyId: random(16), key: random(32) }));
    await this.#database.insert(envelopeKeys).values(made).onConflictDoNothing();
    // Another gateway may have been first: its keys are the ones then.
    return this.#find(subjects);
  }

  #find(subjects: Hex[]) {
    return this.#database.select().from(envelopeKeys).where(inArray(envelopeKeys.subject, subjects));
  }
}

/** Random bytes of the platform's, in hexadecimal. */
export function random(bytes: number): Hex {
  return `0x${randomBytes(bytes).toString("hex")}`;
}
