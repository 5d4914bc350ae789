/** Works on many items at once and gives the results in the items' order; bounded in both. */

import { createBell } from './buffered.ts';

export interface Breadth {
  /** Items that are worked on at once. */
  readonly atOnce: number;
  /** Items that are begun or done and whose results wait for an earlier one: the memory bound. */
  readonly ahead: number;
}

/**
 * @param work what it throws ends everything: what is under way is waited for, nothing more is begun
 */
export async function* inOrder<T, R>(
  items: AsyncIterable<T>,
  { atOnce, ahead }: Breadth,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const results: Promise<R>[] = [];
  const state = {
    running: 0,
    ended: false,
    stopped: false,
    failure: null as { readonly error: unknown } | null,
  };
  const bell = createBell();
  const full = (): boolean => state.running >= atOnce || results.length >= ahead;
  const begin = async (item: T): Promise<R> => {
    state.running += 1;
    try {
      return await work(item);
    } catch (error) {
      state.stopped = true;
      throw error;
    } finally {
      state.running -= 1;
      bell.ring();
    }
  };
  const pump = async (): Promise<void> => {
    try {
      for await (const item of items) {
        while (!state.stopped && full()) await bell.rung();
        if (state.stopped) return;
        const result = begin(item);
        result.catch(() => undefined);
        results.push(result);
        bell.ring();
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
      const first = results[0];
      if (first !== undefined) {
        const result = await first;
        void results.shift();
        bell.ring();
        yield result;
      } else if (state.ended) break;
      else await bell.rung();
    }
    if (state.failure !== null) throw state.failure.error;
  } finally {
    state.stopped = true;
    bell.ring();
    await Promise.allSettled(results);
    await pumping;
  }
}
