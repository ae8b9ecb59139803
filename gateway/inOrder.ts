/**
 * Do `work` on every item, some ahead at the same time, and yield the results in the items' order.
 * Stops asking for more when the consumer stops.
 */
export async function* inOrder<T, R>(
  items: Iterable<T>,
  ahead: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const iterator = items[Symbol.iterator]();
  const running: Array<Promise<R>> = [];
  const start = () => {
    const next = iterator.next();
    if (next.done) return;
    const result = work(next.value);
    // Whoever stops early no longer waits for the rest; their failures concern nobody.
    result.catch(() => undefined);
    running.push(result);
  };
  for (let i = 0; i < ahead; i += 1) start();
  for (let result = running.shift(); result; result = running.shift()) {
    const value = await result;
    start();
    yield value;
  }
}
