import { describe, expect, test } from 'vitest';
import type { RelationMessage } from '../change/pgoutput.ts';
import { seenByChunks, unseenByChunks } from './seen.ts';

const relation: RelationMessage = {
  oid: 1,
  schema: 'app',
  name: 't',
  identity: 'd',
  columns: [
    { name: 'tenant', typeOid: 25, typeModifier: -1, key: true },
    { name: 'id', typeOid: 20, typeModifier: -1, key: true },
  ],
};

/** A pgoutput tuple of a tenant and an id. */
const tuple = (id: bigint): Buffer => {
  const value = Buffer.alloc(8);
  value.writeBigInt64BE(id);
  return Buffer.concat([Buffer.from([0, 2, 0x62, 0, 0, 0, 1, 0x61, 0x62, 0, 0, 0, 8]), value]);
};

describe('changes that a resumed copy already holds', () => {
  const cut = { name: 'id', kind: 'integer' as const };
  const seen = seenByChunks(
    [
      { cut, lower: null, upper: '100', snapshot: '10:10:' },
      { cut, lower: '100', upper: null, snapshot: '50:50:' },
    ],
    relation,
    true,
  )!;

  test.each([
    [9, 5n, true],
    [10, 5n, false],
    [49, 99n, false],
    [49, 100n, true],
    [50, 100n, false],
    [49, -1n, false],
  ])('transaction %i of row %i: %s', (xid, id, expected) => {
    expect(seen(xid, tuple(id), 0)).toBe(expected);
  });

  test('a table that was read by pages has one snapshot for all its rows', () => {
    const whole = seenByChunks(
      [
        { cut: null, lower: null, upper: '(10,0)', snapshot: '50:50:' },
        { cut: null, lower: '(10,0)', upper: null, snapshot: '50:50:' },
      ],
      relation,
      true,
    )!;
    expect([whole(49, tuple(1n), 0), whole(50, tuple(1n), 0)]).toEqual([true, false]);
  });

  test('without chunks there is nothing to judge', () => {
    expect(seenByChunks([], relation, true)).toBeNull();
  });

  test('of a TRUNCATE, what was copied before it', () => {
    const chunks = [
      { cut, lower: null, upper: '100', snapshot: '10:10:' },
      { cut, lower: '100', upper: null, snapshot: '50:50:' },
    ];
    const unseen = unseenByChunks(chunks)!;
    expect(unseen(9)).toEqual([]);
    expect(unseen(10)).toEqual([{ column: 'id', lower: null, upper: '100' }]);
    expect(unseen(50)).toBe('all');
    expect(unseenByChunks([])).toBeNull();
  });
});
