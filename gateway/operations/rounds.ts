/**
 * What a gateway does again and again for as long as it runs: one round after the other, never two at once, a pause between
 * them, and an end that waits for the round under way.
 */
export class Rounds {
  readonly #round: () => Promise<number>;
  #underWay: Promise<void> | null = null;
  /** Set while it rests. */
  #next: NodeJS.Timeout | undefined;
  #isHurried = false;
  #isBegun = false;
  #isEnding = false;

  /** @param round resolves with the milliseconds to pause after it; what goes wrong in it is its own to see to */
  constructor(round: () => Promise<number>) {
    this.#round = round;
  }

  /** Whether no more rounds come: a long one may stop where it is. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** Go a round now, and from now on one after each pause. Resolves after the first. */
  start(): Promise<void> {
    this.#isBegun = true;
    return this.now();
  }

  /** As `start`, with the first round after so many milliseconds. */
  startIn(pause: number): void {
    this.#isBegun = true;
    this.#rest(pause);
  }

  /** Go a round now, or join the one under way. The next pause begins after it. */
  now(): Promise<void> {
    this.#underWay ??= this.#go().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  /** Go a round that begins after this call. */
  async anew(): Promise<void> {
    await this.#underWay;
    await this.now();
  }

  /** There is something to do: cut the pause short. Where a round is under way, the next follows it at once. */
  hurry(): void {
    if (this.#next) this.#rest(0);
    else this.#isHurried = true;
  }

  async close(): Promise<void> {
    this.#isEnding = true;
    this.#wake();
    await this.#underWay;
  }

  async #go(): Promise<void> {
    this.#wake();
    this.#isHurried = false;
    const pause = await this.#round();
    if (this.#isBegun) this.#rest(this.#isHurried ? 0 : pause);
  }

  #wake(): void {
    clearTimeout(this.#next);
    this.#next = undefined;
  }

  #rest(pause: number): void {
    this.#wake();
    if (!this.#isEnding) this.#next = setTimeout(() => void this.now(), pause);
  }
}
