const WIDTH = 10;

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

/** Runs one step of the start, and says on one line what is being done and on the next what came of it. */
export async function step<T>(
  part: string,
  doing: string,
  act: () => Promise<T>,
  done: (result: T) => string,
): Promise<T> {
  const began = performance.now();
  console.log(`… ${part.padEnd(WIDTH)} ${doing}`);
  const result = await act();
  console.log(`✓ ${part.padEnd(WIDTH)} ${done(result)} (${seconds(began)})`);
  return result;
}

/** Says something more about the step before, such as a file that could not be read. */
export function note(text: string): void {
  console.log(`  ${"".padEnd(WIDTH)} ${text}`);
}
