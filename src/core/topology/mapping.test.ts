import { describe, expect, test } from 'vitest';
import type { RuleConfig } from '../config/schema.ts';
import { catalogue, column, index, orders } from '../validation/checks/table/sample.ts';
import type { Link } from './link.ts';
import { targetColumn, targetPatterns, targetTable, type NameMap } from './mapping.ts';
import { ownName, tableName } from './table.ts';
import { columnThere, placesOf, targetView } from './target-view.ts';

const map: NameMap = {
  schemas: { shop: 'shop_eu', Old: 'Kept' },
  tables: { 'shop.Audit': 'archive.shop_audit' },
  columns: { 'shop.Orders': { Total: 'sum' } },
  case: 'lower',
};

describe('names on the target', () => {
  test.each([
    ['shop.Orders', 'shop_eu.orders'],
    ['shop.Audit', 'archive.shop_audit'],
    ['Old.T', 'Kept.t'],
    ['Other.ÄT', 'other.Ät'],
    ['shop."with.dot"', 'shop_eu."with.dot"'],
  ])('%s is %s', (table, there) => expect(targetTable(map, table)).toBe(there));

  test('columns, and names that objects have by themselves', () => {
    expect(targetColumn(map, 'shop.Orders', 'Total')).toBe('sum');
    expect(targetColumn(map, 'shop.Orders', 'Id')).toBe('id');
    expect(targetColumn(map, 'shop.constructor', 'toString')).toBe('tostring');
    expect(targetTable(map, 'constructor.valueOf')).toBe('constructor.valueof');
  });

  test('without a map everything keeps its name', () => {
    expect(targetTable(undefined, 'shop.Orders')).toBe('shop.Orders');
    expect(targetColumn({ case: 'preserve' }, 'shop.Orders', 'Id')).toBe('Id');
  });

  test('patterns match every table that the rule may write to', () => {
    expect(targetPatterns({ tables: ['shop.Ord*', '*.x', '!shop.y'], map }).toSorted()).toEqual(
      ['*.x', 'Kept.x', 'archive.shop_audit', 'shop_eu.ord*', 'shop_eu.x'].toSorted(),
    );
    expect(targetPatterns({ tables: ['shop.Ord*'] })).toEqual(['shop.Ord*']);
  });
});

const link = (rule: string, names: NameMap | undefined): Link => ({
  id: `${rule}:t:a:b`,
  rule: { id: rule, tables: ['shop.*'], ...(names ? { map: names } : {}) } as unknown as RuleConfig,
  tenant: 't',
  scope: { kind: 'schema', schema: 'shop' },
  columns: undefined,
  source: 'a',
  target: 'b',
});

describe('the target under the names of the source', () => {
  const source = orders({
    schema: 'shop',
    name: 'Orders',
    columns: [column('Id', 'int4'), column('Total', 'int4')],
  });
  const places = placesOf([link('r', map)], () => ['shop.Orders']);

  test('a table is found by its name at the source and keeps its own; so do its columns', () => {
    const there = orders({
      schema: 'shop_eu',
      name: 'orders',
      columns: [column('sum', 'int4'), column('Total', 'text'), column('id', 'int4')],
      indexes: [index('k', ['id', 'sum'])],
      primaryKey: ['id'],
    });
    const view = targetView(catalogue([there]), catalogue([source]), places).tables;
    expect([...view.keys()]).toEqual(['shop.Orders']);
    const seen = view.get('shop.Orders')!;
    expect(tableName(seen)).toBe('shop_eu.orders');
    expect(seen.columns.map(({ name }) => name)).toEqual(['Total', 'Total (target)', 'Id']);
    expect(seen.columns.map(ownName)).toEqual(['sum', 'Total', 'id']);
    expect([seen.primaryKey, seen.indexes[0]?.columns]).toEqual([['Id'], ['Id', 'Total']]);
    expect(columnThere(seen, 'Total')).toBe('sum');
  });

  test('a table of the target is not taken for the one that is called otherwise there', () => {
    const namesake = orders({ schema: 'shop', name: 'Orders' });
    expect(targetView(catalogue([namesake]), catalogue([source]), places).tables.has('shop.Orders')).toBe(
      false,
    );
  });

  test('two columns that would be one are refused', () => {
    const both = orders({
      schema: 'shop',
      name: 'Orders',
      columns: [column('a', 'int4'), column('A', 'int4')],
    });
    const there = orders({ schema: 'shop_eu', name: 'orders' });
    expect(() => targetView(catalogue([there]), catalogue([both]), places)).toThrow(
      expect.objectContaining({ code: 'XC-5270' }),
    );
  });

  test('two tables that would be one are refused, also of two rules', () => {
    const refused = expect.objectContaining({ code: 'XC-5270' });
    expect(() => placesOf([link('r', map)], () => ['shop.a', 'shop.A'])).toThrow(refused);
    const two = [link('r', map), link('s', undefined)];
    expect(() => placesOf(two, ({ rule }) => [rule.id === 'r' ? 'shop.t' : 'shop_eu.t'])).toThrow(refused);
  });

  test('rules of one stream that call a table differently are refused, unless they only say it otherwise', () => {
    expect(() => placesOf([link('r', map), link('s', undefined)], () => ['shop.Orders'])).toThrow(
      expect.objectContaining({ code: 'XC-5271' }),
    );
    const same: NameMap = { ...map, tables: { 'shop.Orders': 'shop_eu.orders' } };
    expect(placesOf([link('r', map), link('s', same)], () => ['shop.Orders']).size).toBe(1);
  });
});
