/** What every object store does as a place of anchors, as tests: part of object-store.contract.ts. */

import { Buffer } from 'node:buffer';
import { expect, it } from 'vitest';
import { formatCheckpoint } from '../audit/checkpoint.ts';
import { anchorKey, readAnchorObjects, writeAnchorObject } from './anchor-objects.ts';
import type { ObjectStore } from './object-store.ts';

const ORIGIN = 'xcrepl/acme/0a1b2c3d';

const noteOf = (size: number, root: number, origin = ORIGIN): string =>
  `${formatCheckpoint({ origin, size, root: Buffer.alloc(32, root) })}\n— ${origin} ${'signature'.repeat(2)}\n`;

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** @param open gives the store that the suite runs against */
export const anchoredLogContract = (open: () => ObjectStore): void => {
  it('keeps the first anchor of each size of a log, and gives them back in order', async () => {
    const store = open();
    const sizes = [3, 20, 100, 1_000_000];
    const put = async (size: number, root: number, origin = ORIGIN): Promise<void> =>
      await writeAnchorObject(store, { origin, size, note: noteOf(size, root, origin) });
    expect(await readAnchorObjects(store, ORIGIN, 'here')).toEqual([]);
    for (const size of sizes.toReversed()) await put(size, 1);
    await put(7, 1, 'xcrepl/acme/ffffffff');
    await store.write(`${anchorKey(ORIGIN, 5)}.txt`, once('not ours'));
    // The same again is no error, and another root of the same size never replaces it.
    await put(20, 1);
    await expect(put(20, 2)).rejects.toMatchObject({ code: 'XC-5291' });
    const expected = sizes.map((size) => ({ place: 'here', note: noteOf(size, 1) }));
    expect(await readAnchorObjects(store, ORIGIN, 'here')).toEqual(expected);
    expect(await readAnchorObjects(store, ORIGIN, 'here', 1)).toEqual(expected.slice(-1));
  });

  it('gives of very many anchors the newest and some of each time before', async () => {
    const store = open();
    const origin = 'xcrepl/acme/11111111';
    for (let size = 1; size <= 80; size++)
      await writeAnchorObject(store, { origin, size, note: noteOf(size, 1, origin) });
    const read = (await readAnchorObjects(store, origin, 'here')).map(({ note }) =>
      Number(note.split('\n')[1]),
    );
    expect(read).toHaveLength(64);
    expect(read.slice(-16)).toEqual(Array.from({ length: 16 }, (_, at) => 65 + at));
    expect(read[0]).toBe(1);
    expect(read).toEqual([...new Set(read)].toSorted((a, b) => a - b));
  });
};
