/** The bridge between this room, which waits for nothing, and those that stream. */

/** Hands out what `source` makes, piece by piece; `leave` is called when a reader goes early. */
export function toAsyncIterable<T>(source: Iterator<T>, leave: () => void): AsyncIterable<T> {
  const iterator: AsyncIterator<T> = {
    next: () => new Promise((resolve) => resolve(source.next())),
    return: () => {
      leave();
      source.return?.();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

/** Calls `take` with every piece; rejects, and leaves the source, as soon as either fails. */
export function drain<T>(source: AsyncIterable<T>, take: (piece: T) => void): Promise<void> {
  const iterator = source[Symbol.asyncIterator]();
  const takeRest = (): Promise<void> =>
    iterator.next().then((step) => {
      if (step.done === true) return undefined;
      take(step.value);
      return takeRest();
    });
  const leave = (): Promise<unknown> => iterator.return?.() ?? Promise.resolve();
  return takeRest().catch((error: unknown) =>
    leave().then(() => {
      throw error;
    }),
  );
}
