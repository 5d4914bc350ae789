import { describe, expect, test } from 'vitest';
import type { TypeFacts } from '../topology/table.ts';
import { binaryMismatch, unsafeInBinary } from './binary-types.ts';

const type = (oid: number, name: string, more: Partial<TypeFacts> = {}): TypeFacts => ({
  oid,
  schema: oid < 16_384 ? 'pg_catalog' : 'shop',
  name,
  kind: 'b',
  category: 'U',
  elementOid: 0,
  baseOid: 0,
  rangeSubtypeOid: 0,
  attributes: [],
  hasBinary: true,
  strictDomain: false,
  labels: [],
  ...more,
});
const array = (oid: number, elementOid: number): TypeFacts =>
  type(oid, `_${oid}`, { category: 'A', elementOid });
const fields = (...attributes: [string, number][]): Partial<TypeFacts> => ({
  kind: 'c',
  attributes: attributes.map(([name, typeOid]) => ({ name, typeOid })),
});

/** The same types under OIDs that are shifted, as two servers have them. */
const server = (shift: number, more: (at: (oid: number) => number) => TypeFacts[] = () => []) => {
  const at = (oid: number): number => (oid < 16_384 ? oid : oid + shift);
  const list = [
    type(23, 'int4'),
    type(20, 'int8'),
    type(25, 'text'),
    type(1043, 'varchar'),
    type(2205, 'regclass'),
    type(1033, 'aclitem', { hasBinary: false }),
    array(1009, 25),
    array(1015, 1043),
    array(2210, 2205),
    type(at(20_000), 'mood', { kind: 'e' }),
    array(at(20_001), at(20_000)),
    type(at(20_002), 'point', fields(['x', 23], ['m', at(20_000)])),
    array(at(20_003), at(20_002)),
    type(at(20_004), 'nested', fields(['a', at(20_003)], ['d', at(20_005)])),
    type(at(20_005), 'moods', { kind: 'd', baseOid: at(20_001) }),
    array(at(20_006), at(20_004)),
    type(at(20_007), 'span', { kind: 'r', rangeSubtypeOid: at(20_000) }),
    type(at(20_008), 'holder', fields(['r', 2205])),
    type(at(20_009), 'hstore'),
    ...more(at),
  ];
  return { at, types: new Map(list.map((entry) => [entry.oid, entry])) };
};
const a = server(0);
const b = server(500);
const judge = (sourceOid: number, targetOid = b.at(sourceOid), target = b) =>
  binaryMismatch(sourceOid, a.types, targetOid, target.types);

describe('binaryMismatch', () => {
  test.each([23, 20_000, 20_001, 20_002, 20_003, 20_004, 20_005, 20_006, 20_007, 20_009])(
    'type %i passes to a server where user-defined types have other OIDs',
    (oid) => {
      expect(judge(oid)).toBeNull();
    },
  );

  test('types with the same text format pass for each other, but not inside arrays, which name the OID', () => {
    expect(judge(25, 1043)).toBeNull();
    expect(judge(20_000, 25)).toBeNull();
    expect(judge(1009, 1015)).toBe('pg_catalog.text is not pg_catalog.varchar');
    expect(judge(20_001, 1009)).toBeNull();
  });

  test('another width, another shape, or a type that is not there is a mismatch', () => {
    expect(judge(23, 20)).toBe('pg_catalog.int4 is not pg_catalog.int8');
    expect(judge(20_001, b.at(20_000))).toContain('is not');
    expect(judge(20_002, b.at(20_003))).toContain('is not');
    expect(judge(23, 99_999)).toContain('99999');
  });

  test('fields in another order, or of another type deep inside, are a mismatch', () => {
    const swapped = server(500, (at) => [type(at(20_002), 'point', fields(['m', at(20_000)], ['x', 23]))]);
    expect(judge(20_006, swapped.at(20_006), swapped)).toContain('has fields (x, m), shop.point has (m, x)');
    const wider = server(500, (at) => [type(at(20_002), 'point', fields(['x', 20], ['m', at(20_000)]))]);
    expect(judge(20_006, wider.at(20_006), wider)).toContain('field x of shop.point');
  });
});

describe('unsafeInBinary', () => {
  test('catalogue references and types without binary format, also deep inside, and unknown types', () => {
    for (const oid of [2205, 2210, 20_008, 1033, 99_999]) expect(unsafeInBinary(oid, a.types)).toBe(true);
    for (const oid of [23, 25, 20_000, 20_004, 20_006, 20_007, 20_009])
      expect(unsafeInBinary(oid, a.types)).toBe(false);
  });
});
