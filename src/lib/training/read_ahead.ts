/** Items `from` to `to` in order; while one is worked on, the next is being read. */
export async function* readAhead<T>(
  from: number,
  to: number,
  read: (index: number) => Promise<T>,
): AsyncGenerator<T, void, void> {
  const start = (index: number) => {
    const reading = index < to ? read(index) : null;
    reading?.catch(() => {}); // told when its turn comes
    return reading;
  };
  let next = start(from);
  try {
    for (let index = from; next; index++) {
      const item = await next;
      next = start(index + 1);
      yield item;
    }
  } finally {
    await next?.catch(() => {}); // nothing is read any more when the loop has ended
  }
}
