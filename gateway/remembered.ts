/** Answers kept for some time; those who ask meanwhile share one question. Failures are not kept. */
export class Remembered<T> {
  /** Milliseconds. */
  readonly #lifetime: number;
  readonly #answers = new Map<string, { answer: Promise<T>; until: number }>();

  constructor(lifetime: number) {
    this.#lifetime = lifetime;
  }

  get(key: string, ask: () => Promise<T>): Promise<T> {
    const now = performance.now();
    const kept = this.#answers.get(key);
    if (kept && kept.until > now) return kept.answer;
    // All are kept equally long, so the first to go are the first that came.
    for (const [old, { until }] of this.#answers) {
      if (until > now) break;
      this.#answers.delete(old);
    }
    const answer = ask();
    this.#answers.set(key, { answer, until: now + this.#lifetime });
    answer.catch(() => {
      if (this.#answers.get(key)?.answer === answer) this.#answers.delete(key);
    });
    return answer;
  }

  /** Ask for this anew the next time. */
  delete(key: string): void {
    this.#answers.delete(key);
  }

  /** Ask for everything anew. */
  clear(): void {
    this.#answers.clear();
  }
}
