/** Reads ahead of its reader, so that two listings are fetched side by side; bounded. */

/** The same items in the same order, up to `most` of them waiting. An error comes where it happened in the order. */
export async function* buffered<T>(items: AsyncIterable<T>, most: number): AsyncGenerator<T> {
  const waiting: T[] = [];
  const state = { ended: false, stopped: false, failure: null as { readonly error: unknown } | null };
  const bell = createBell();
  const pump = async (): Promise<void> => {
    try {
      for await (const item of items) {
        waiting.push(item);
        // Woken for the first of many: a bell for each one would cost more than what it is for.
        if (waiting.length === 1) bell.ring();
        while (!state.stopped && waiting.length >= most) await bell.rung();
        if (state.stopped) return;
      }
    } catch (error) {
      state.failure = { error };
    } finally {
      state.ended = true;
      bell.ring();
    }
  };
  const pumping = pump();
  try {
    for (;;) {
      const batch = waiting.splice(0);
      if (batch.length > 0) {
        bell.ring();
        yield* batch;
        continue;
      }
      if (state.ended) break;
      await bell.rung();
    }
    if (state.failure !== null) throw state.failure.error;
  } finally {
    state.stopped = true;
    bell.ring();
    await pumping;
  }
}

/** Wakes whoever waits when it rings next. */
export interface Bell {
  ring(): void;
  rung(): Promise<void>;
}

const nobodyWaits = (): void => undefined;

export const createBell = (): Bell => {
  let ring = nobodyWaits;
  let next: Promise<void> | null = null;
  return {
    ring() {
      next = null;
      ring();
    },
    rung: () =>
      (next ??= new Promise((resolve) => {
        ring = resolve;
      })),
  };
};
