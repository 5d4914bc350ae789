import { describe, expect, test } from 'vitest';
import { listedPatterns, matchesNames, matchesPatterns } from './pattern.ts';
import { splitTable, tableName } from './table-name.ts';

const NAMES = [
  't',
  'UPPER',
  'ünï',
  'a.b',
  'with space',
  'q"uote',
  '"',
  '*',
  '!x',
  '.',
  'a\nb',
  'x'.repeat(63),
  "it's",
];

describe('names of tables', () => {
  test('every schema and table has a name of its own, which is split back and matches itself alone', () => {
    const all = NAMES.flatMap((schema) => NAMES.map((name) => ({ schema, name })));
    const names = all.map(tableName);
    expect(new Set(names).size).toBe(all.length);
    expect(names.map(splitTable)).toEqual(all);
    for (const one of names) expect(names.filter((other) => matchesPatterns([one], other))).toEqual([one]);
  });

  test.each([
    ['shop.*', { schema: 'shop', name: 'a.b c' }, true],
    ['shop.*', { schema: 'shop.eu', name: 't' }, false],
    ['*.*', { schema: 'shop.eu', name: 'line\nbreak' }, true],
    ['"shop.eu".*', { schema: 'shop.eu', name: 't' }, true],
    ['shop.a.b', { schema: 'shop', name: 'a.b' }, true],
    ['shop."a*"', { schema: 'shop', name: 'ab' }, false],
    ['shop."a*"', { schema: 'shop', name: 'a*' }, true],
    ['sh*.o?d', { schema: 'shop', name: 'old' }, false],
  ])('%s and %o: %s', (pattern, table, matched) => {
    expect(matchesPatterns([pattern], tableName(table))).toBe(matched);
    expect(matchesPatterns(['*.*', `!${pattern}`], tableName(table))).toBe(!matched);
  });

  test('tenants have dots in their names like any other character', () => {
    expect([matchesNames(['*'], 'acme.eu'), matchesNames(['acme*', '!*.eu'], 'acme.eu')]).toEqual([
      true,
      false,
    ]);
  });

  test('a list on the command line', () => {
    expect(listedPatterns('shop.*, "a,b"."c "" d" ,!x.y')).toEqual(['shop.*', '"a,b"."c "" d"', '!x.y']);
  });
});
