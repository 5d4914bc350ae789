/**
 * What every source of changes does alike, a slot or the files of a log: whoever reads gives whole transactions once, in
 * their order, from any position that it was given before, and says when nothing comes.
 */

import { expect, test } from 'vitest';
import { INSERT } from '../../src/core/change/batch.ts';
import type { Lsn } from '../../src/core/change/lsn.ts';
import { loggedValues } from '../../src/core/changelog/values.ts';
import type { ChangeSource } from '../../src/core/replication/ports.ts';

export type Row = readonly [id: string, value: string | null];

export interface SourceStage extends AsyncDisposable {
  /** Everything is behind this position. */
  readonly start: Lsn;
  /** One transaction of new rows of (id text, v text). @returns a position behind it, before the next */
  write(rows: readonly Row[]): Promise<Lsn>;
  open(from: Lsn, until: Lsn | null): Promise<ChangeSource>;
}

const WAIT_MS = 200;
const never = new AbortController().signal;

const rowsOf = async (source: ChangeSource, wanted: number): Promise<{ rows: Row[]; positions: Lsn[] }> => {
  const rows: Row[] = [];
  const positions: Lsn[] = [];
  for (let idle = 0; rows.length < wanted && idle < 100;) {
    const batch = await source.next(WAIT_MS, never);
    if (batch === null) break;
    if (batch === 'idle') {
      idle++;
      continue;
    }
    for (let index = 0; index < batch.size; index++)
      if (batch.operation[index] === INSERT)
        rows.push(loggedValues(batch.arena.bytes, batch.rowStart[index]! + 2, 2) as unknown as Row);
    if (!batch.open) positions.push(batch.position);
    source.recycle(batch);
  }
  return { rows, positions };
};

export const changeSourceContract = (makeStage: () => Promise<SourceStage>): void => {
  test('whole transactions, once, in their order, from any position to any other', async () => {
    await using stage = await makeStage();
    const all: Row[] = [];
    const ends: Lsn[] = [];
    for (let at = 0; at < 6; at++) {
      const rows: Row[] = [
        [`${at} a`, 'größe'],
        [`${at} b`, null],
        [`${at} c`, ''],
      ];
      ends.push(await stage.write(rows));
      all.push(...rows);
    }
    for (const [at, from] of [stage.start, ...ends].entries()) {
      await using source = await stage.open(from, ends.at(-1)!);
      const read = await rowsOf(source, Number.POSITIVE_INFINITY);
      expect(read.rows, `from ${at}`).toEqual(all.slice(at * 3));
      expect(read.positions).toEqual(read.positions.toSorted((a, b) => (a < b ? -1 : 1)));
      expect(await source.next(0, never)).toBeNull();
    }
    await using part = await stage.open(stage.start, ends[2]!);
    expect((await rowsOf(part, Number.POSITIVE_INFINITY)).rows).toEqual(all.slice(0, 9));
  });

  test('many transactions, read while they come: each batch ends where one does, and nothing is lost between two', async () => {
    await using stage = await makeStage();
    const value = 'v'.repeat(300);
    const keys: string[] = [];
    let end = stage.start;
    for (let at = 0; at < 40; at++) {
      const rows = Array.from({ length: 50 }, (_, row): Row => [`${at} ${row}`, value]);
      end = await stage.write(rows);
      keys.push(...rows.map(([key]) => key));
    }
    await using source = await stage.open(stage.start, end);
    const seen: string[] = [];
    for (;;) {
      const batch = await source.next(WAIT_MS, never);
      if (batch === null) break;
      if (batch === 'idle') continue;
      for (let index = 0; index < batch.size; index++)
        seen.push(loggedValues(batch.arena.bytes, batch.rowStart[index]! + 2, 2)[0] as string);
      expect(batch.open).toBe(false);
      expect(seen.length % 50).toBe(0);
      expect([...batch.counts.values()].reduce((sum, { inserts }) => sum + inserts, 0)).toBe(batch.size);
      source.recycle(batch);
    }
    expect(seen).toEqual(keys);
  });

  test('says when nothing comes, and then gives what does', async () => {
    await using stage = await makeStage();
    await using source = await stage.open(stage.start, null);
    let said = await source.next(WAIT_MS, never);
    for (let more = 0; said !== 'idle' && more < 100; more++) said = await source.next(WAIT_MS, never);
    expect(said).toBe('idle');
    await stage.write([['1', 'x']]);
    const first = await rowsOf(source, 1);
    expect(first.rows).toEqual([['1', 'x']]);
    source.acknowledge(first.positions.at(-1)!);
    await stage.write([['2', 'y']]);
    expect((await rowsOf(source, 1)).rows).toEqual([['2', 'y']]);
  });

  test('a signal ends the wait with its reason', async () => {
    await using stage = await makeStage();
    await using source = await stage.open(stage.start, null);
    const reason = new Error('enough');
    const stopped = AbortSignal.abort(reason);
    const end = (async () => {
      for (;;) await source.next(WAIT_MS, stopped);
    })();
    await expect(end).rejects.toBe(reason);
  });
};
