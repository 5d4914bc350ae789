import { expect, test } from 'vitest';
import { buffered } from './buffered.ts';
import { inOrder } from './in-order.ts';

const upTo = async function* (most: number, broken?: number): AsyncGenerator<number> {
  for (let at = 0; at < most; at += 1) {
    if (at === broken) throw new Error(`at ${at}`);
    yield at;
  }
};

const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};

/** Resolves in an order of its own: later turns of the loop for some. */
const turns = async (count: number): Promise<void> => {
  for (let at = 0; at < count; at += 1) await Promise.resolve();
};

test('results come in order, and no more is under way than is allowed', async () => {
  let running = 0;
  let most = 0;
  let begun = 0;
  let taken = 0;
  const results = inOrder(upTo(300), { atOnce: 5, ahead: 20 }, async (item) => {
    running += 1;
    begun += 1;
    most = Math.max(most, running);
    expect(begun - taken).toBeLessThanOrEqual(21);
    await turns((item * 7) % 31);
    running -= 1;
    return item;
  });
  const seen: number[] = [];
  for await (const result of results) {
    taken += 1;
    seen.push(result);
    await turns(result % 3);
  }
  expect(seen).toEqual(Array.from({ length: 300 }, (_, at) => at));
  expect(most).toBe(5);
});

test('work that throws ends it, with nothing left running and the items let go', async () => {
  let running = 0;
  let closed = false;
  const items = (async function* () {
    try {
      yield* upTo(100);
    } finally {
      closed = true;
    }
  })();
  const results = inOrder(items, { atOnce: 3, ahead: 10 }, async (item) => {
    running += 1;
    await turns(5);
    running -= 1;
    if (item === 10) throw new Error('ten');
    return item;
  });
  await expect(all(results)).rejects.toThrow('ten');
  expect({ running, closed }).toEqual({ running: 0, closed: true });
});

test('items that break give the results before, then the error', async () => {
  const seen: number[] = [];
  const results = inOrder(upTo(9, 4), { atOnce: 2, ahead: 2 }, async (item) => item);
  await expect(
    (async () => {
      for await (const item of results) seen.push(item);
    })(),
  ).rejects.toThrow('at 4');
  expect(seen).toEqual([0, 1, 2, 3]);
});

test('a reader that stops early ends it', async () => {
  for await (const item of inOrder(upTo(1_000), { atOnce: 4, ahead: 8 }, async (one) => one))
    if (item === 5) break;
  for await (const item of buffered(upTo(1_000), 8)) if (item === 5) break;
});

test('reading ahead changes nothing and stays within its bound', async () => {
  let produced = 0;
  let taken = 0;
  const items = (async function* () {
    for await (const item of upTo(500)) {
      produced += 1;
      expect(produced - taken).toBeLessThanOrEqual(2 * 16 + 1);
      yield item;
    }
  })();
  const seen: number[] = [];
  for await (const item of buffered(items, 16)) {
    taken += 1;
    seen.push(item);
    await turns(item % 4);
  }
  expect(seen).toEqual(Array.from({ length: 500 }, (_, at) => at));
  await expect(all(buffered(upTo(9, 4), 2))).rejects.toThrow('at 4');
});
