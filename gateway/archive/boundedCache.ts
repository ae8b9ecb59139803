/** What the archive answered, kept in memory for some time and up to some size; what was not used longest goes first. */
export class BoundedCache<T> {
  readonly #most: number;
  readonly #lifetime: number;
  /** By when each was last used, the longest ago first. */
  readonly #entries = new Map<string, { value: T; size: number; until: number }>();
  #size = 0;
  #generation = 0;

  /** @param most bytes of everything; 0 keeps nothing @param lifetime in milliseconds, from when it was kept */
  constructor(most: number, lifetime: number) {
    this.#most = most;
    this.#lifetime = lifetime;
  }

  /** Grows whenever everything is dropped: what the archive was asked for before must not be kept after. */
  get generation(): number {
    return this.#generation;
  }

  /** Bytes that are kept. */
  get size(): number {
    return this.#size;
  }

  get(key: string): T | undefined {
    const found = this.#entries.get(key);
    if (!found) return undefined;
    this.#remove(key);
    if (found.until < performance.now()) return undefined;
    this.#add(key, found);
    return found.value;
  }

  /** Keep a value. @param size in bytes @param generation that of the time when the archive was asked for it */
  set(key: string, value: T, size: number, generation: number): void {
    if (size > this.#most || generation !== this.#generation) return;
    this.#remove(key);
    this.#add(key, { value, size, until: performance.now() + this.#lifetime });
    for (const oldest of this.#entries.keys()) {
      if (this.#size <= this.#most) break;
      this.#remove(oldest);
    }
  }

  /** Keep nothing of what was kept: an exam changed. */
  clear(): void {
    this.#generation += 1;
    this.#entries.clear();
    this.#size = 0;
  }

  #add(key: string, entry: { value: T; size: number; until: number }): void {
    this.#entries.set(key, entry);
    this.#size += entry.size;
  }

  #remove(key: string): void {
    const found = this.#entries.get(key);
    if (!found) return;
    this.#entries.delete(key);
    this.#size -= found.size;
  }
}
