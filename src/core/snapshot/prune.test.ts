import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Manifest } from './manifest.ts';
import { keptIds, parseKeeping, prune } from './prune.ts';

const idOf = (number: number): string => `sn_${String(number).padStart(26, '0')}`;
const at = (number: number, createdAt: string): Manifest =>
  ({
    id: idOf(number),
    createdAt,
    parts: [{ key: `snapshots/parts/${idOf(number)}/t/0` }],
    ddl: { missing: '' },
  }) as unknown as Manifest;

const days = (count: number): Manifest[] =>
  Array.from({ length: count }, (_, day) => at(day, new Date(Date.UTC(2026, 0, 1 + day, 3)).toISOString()));

it('reads what is kept', () => {
  expect(parseKeeping('7')).toEqual({ last: 7, daily: 0, weekly: 0, monthly: 0 });
  expect(parseKeeping('last=1, daily=7,monthly=12')).toEqual({ last: 1, daily: 7, weekly: 0, monthly: 12 });
  for (const text of ['', '0', 'daily', 'yearly=3', 'last=-1'])
    expect(() => parseKeeping(text), text).toThrow(expect.objectContaining({ code: 'XC-1004' }));
});

it('keeps the newest of days, of weeks from Monday and of months', () => {
  const all = days(60); // to 1 March
  const kept = (text: string): number[] =>
    [...keptIds(all, parseKeeping(text))].map((id) => Number(id.slice(3))).toSorted((a, b) => a - b);
  expect(kept('2')).toEqual([58, 59]);
  expect(kept('daily=3')).toEqual([57, 58, 59]);
  // 1 March 2026 is a Sunday, and so are 22 and 15 February.
  expect(kept('weekly=3')).toEqual([45, 52, 59]);
  expect(kept('monthly=5')).toEqual([30, 58, 59]);
});

it('never removes what a kept manifest names, whatever lies in the store', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 40 }), (count, last) => {
      const all = days(count);
      const keys = all.flatMap(({ id, parts }) => [
        { key: `snapshots/manifests/${id}.json`, bytes: 1 },
        { key: `snapshots/manifests/${id}.json.sigstore.json`, bytes: 1 },
        ...parts.map(({ key }) => ({ key, bytes: 10 })),
      ]);
      const found = prune(all, keys, parseKeeping(`last=${last}`), new Set());
      expect(found.keep).toHaveLength(Math.min(count, last));
      for (const id of found.keep) expect(found.keys.some((key) => key.includes(id))).toBe(false);
      for (const id of found.remove) expect(found.keys.filter((key) => key.includes(id))).toHaveLength(3);
    }),
  );
});

it('takes manifests first, leaves what may still be finished, and takes what nobody names', () => {
  const young = idOf(90);
  const keys = [
    `snapshots/parts/${idOf(0)}/t/0`,
    `snapshots/manifests/${idOf(0)}.json`,
    `snapshots/parts/${young}/t/0`,
    `snapshots/begun/${young}/begun.json`,
    `snapshots/parts/${idOf(91)}/t/0`,
    `snapshots/begun/${idOf(91)}/begun.json`,
    `snapshots/begun/${idOf(91)}/part-000000.json`,
  ].map((key) => ({ key, bytes: 1 }));
  expect(prune(days(2), keys, parseKeeping('1'), new Set([young])).keys).toEqual([
    `snapshots/manifests/${idOf(0)}.json`,
    `snapshots/parts/${idOf(0)}/t/0`,
    `snapshots/parts/${idOf(91)}/t/0`,
    `snapshots/begun/${idOf(91)}/part-000000.json`,
    `snapshots/begun/${idOf(91)}/begun.json`,
  ]);
});
