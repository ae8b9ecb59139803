/** Tells keys that an erasure destroyed, which a receipt says, from keys that somebody destroyed. */
import type { Entry } from "./log.ts";

/** Receipts that cannot be opened any more. */
export interface LostKeys {
  /** How many an erasure closed for good. */
  erased: number;
  /** A sentence where a key is gone that no erasure destroyed. */
  findings: string[];
}

/** Numbers that a sentence names; the others it counts. */
const NAMED = 5;

export class KeyCheck {
  readonly #kept: ReadonlySet<string>;
  /** By the id of each key that there was not, the receipts under it but for those that say that it was destroyed. */
  readonly #under = new Map<string, number[]>();
  readonly #destroyed = new Set<string>();

  /** @param kept the ids of the keys that there were before the log was read */
  constructor(kept: ReadonlySet<string>) {
    this.#kept = kept;
  }

  /** Take the next receipt of the log. */
  add({ sequence, keyIds, isErasure }: Entry): void {
    for (const keyId of keyIds) {
      if (this.#kept.has(keyId)) continue;
      if (isErasure) {
        this.#destroyed.add(keyId);
        continue;
      }
      const under = this.#under.get(keyId);
      if (under) under.push(sequence);
      else this.#under.set(keyId, [sequence]);
    }
  }

  /** Say what came of it. @param kept the ids of the keys that there are by now: some were made while the log was read */
  end(kept: ReadonlySet<string>): LostKeys {
    const erased = new Set<number>();
    const lost = new Set<number>();
    for (const [keyId, sequences] of this.#under) {
      if (kept.has(keyId)) continue;
      const closed = this.#destroyed.has(keyId) ? erased : lost;
      for (const sequence of sequences) closed.add(sequence);
    }
    return { erased: erased.size, findings: lost.size === 0 ? [] : [sentenceOn([...lost])] };
  }
}

function sentenceOn(lost: number[]): string {
  const named = lost.sort((a, b) => a - b).slice(0, NAMED);
  const more = lost.length > named.length ? ` and ${lost.length - named.length} more` : "";
  const receipts = lost.length === 1 ? "Receipt" : "Receipts";
  const verb = lost.length === 1 ? "is" : "are";
  return `${receipts} ${named.join(", ")}${more} ${verb} under a key that was destroyed, and no receipt says that an exam was erased.`;
}
