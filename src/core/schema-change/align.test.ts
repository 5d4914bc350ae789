import { describe, expect, test } from 'vitest';
import { column, table } from '../plan/facts.fixture.ts';
import type { TableFacts } from '../topology/table.ts';
import { alignColumns } from './align.ts';
import type { ColumnNote } from './shape.ts';

/** "id:int", in the order of numbers; "-" is a dropped column, "+" before a name a generated one. */
const now = (...columns: readonly string[]): TableFacts =>
  table('t', {
    highestColumn: columns.length,
    columns: columns.flatMap((text, at) => {
      if (text === '-') return [];
      const [name, type = 'text'] = text.replace('+', '').split(':') as [string, string?];
      return [
        column(name, {
          number: at + 1,
          typeOid: type === 'int' ? 23 : 25,
          generated: text.startsWith('+') ? 'stored' : 'none',
        }),
      ];
    }),
  });

const message = (...columns: readonly string[]) =>
  columns.map((text) => {
    const [name = '', type] = text.split(':');
    return { name, typeOid: type === 'int' ? 23 : 25, typeModifier: -1, key: false };
  });

const noted = (notes: Readonly<Record<number, Partial<ColumnNote>>>): ReadonlyMap<number, ColumnNote> =>
  new Map(
    Object.entries(notes).map(([number, note]) => [
      Number(number),
      { name: '', type: 'text', formerly: [], gone: false, ...note },
    ]),
  );

const names = (aligned: ReturnType<typeof alignColumns>): readonly string[] | null =>
  aligned?.map((one) => (one === 'gone' ? 'gone' : one.column.name)) ?? null;

describe('a message of the past', () => {
  test.each([
    ['nothing happened', ['id', 'a'], now('id', 'a'), ['id', 'a']],
    ['a column came since', ['id', 'a'], now('id', 'a', 'b'), ['id', 'a']],
    ['renamed', ['id', 'a', 'b'], now('id', 'z', 'b'), ['id', 'z', 'b']],
    ['two renamed into each other', ['id', 'a', 'b'], now('id', 'b', 'a'), ['id', 'b', 'a']],
    ['dropped in the middle', ['id', 'a', 'b'], now('id', '-', 'b'), ['id', 'gone', 'b']],
    ['dropped at the end', ['id', 'a'], now('id', '-'), ['id', 'gone']],
    ['one was gone already', ['id', 'b'], now('id', '-', 'b'), ['id', 'b']],
    ['dropped, and one of another type came', ['id', 'a'], now('id', '-', 'n:int'), ['id', 'gone']],
    ['made anew under the same name', ['id', 'a', 'b'], now('id', '-', 'b', 'a'), ['id', 'gone', 'b']],
    ['of another type now', ['id', 'a:int'], now('id', 'a'), ['id', 'a']],
    ['generated columns are not sent', ['id', 'b'], now('id', '+g', 'b'), ['id', 'b']],
    ['nothing but a key, which was renamed', ['id'], now('key'), ['key']],
  ] as const)('%s', (_, then, table, expected) => {
    expect(names(alignColumns(message(...then), table))).toEqual(expected);
  });

  test('that could mean two things is not guessed', () => {
    // a was dropped and b came, or something was dropped before and a is called b now.
    const facts = now('id', '-', 'b');
    expect(alignColumns(message('id', 'a'), facts)).toBeNull();
    expect(names(alignColumns(message('id', 'a'), facts, noted({ 2: { name: 'a', gone: true } })))).toEqual([
      'id',
      'gone',
    ]);
    const renamed = noted({ 2: { name: 'x', gone: true }, 3: { name: 'b', formerly: ['a'] } });
    expect(names(alignColumns(message('id', 'a'), facts, renamed))).toEqual(['id', 'b']);
  });

  test('with more columns than the table ever had is of another table, or newer', () => {
    expect(alignColumns(message('id', 'a', 'b'), now('id', 'a'))).toBeNull();
  });

  test('columns that a publication leaves out may be missing anywhere', () => {
    const facts = now('id', 'secret', 'a');
    expect(names(alignColumns(message('id', 'a'), facts, new Map(), new Set(['secret'])))).toEqual([
      'id',
      'a',
    ]);
  });
});
