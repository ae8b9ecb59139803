/** Changing the byte order of values, whole or in a stream. */

/** A copy with every word's bytes reversed. What is left over at the end stays as it is. */
export function swapBytes(bytes: Uint8Array, word: number): Buffer {
  const swapped = Buffer.from(bytes);
  const whole = swapped.subarray(0, swapped.length - (swapped.length % word));
  if (word === 2) whole.swap16();
  else if (word === 4) whole.swap32();
  else if (word === 8) whole.swap64();
  return swapped;
}

/** The same for a stream whose chunks may end inside a word. */
export async function* swapStream(
  bytes: AsyncIterable<Uint8Array>,
  word: number,
): AsyncGenerator<Uint8Array> {
  let rest = Buffer.alloc(0);
  for await (const chunk of bytes) {
    const joined = Buffer.concat([rest, chunk]);
    const whole = joined.length - (joined.length % word);
    rest = joined.subarray(whole);
    yield swapBytes(joined.subarray(0, whole), word);
  }
  if (rest.length > 0) yield rest;
}
