/** Milliseconds before what failed is tried again: a second, then twice as long each time, `longest` at most. */
export function backoff(failures: number, longest: number): number {
  return Math.min(1_000 * 2 ** failures, longest);
}
