import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import type { ColumnRule } from '../config/schema.ts';
import type { PolicyColumn } from './column-action.ts';
import { compile, compileStops, isStop, type TenantRules } from './row-policy.ts';

const KEY = Buffer.alloc(32, 7);
const column = (name: string, typeName = 'text', more: Partial<PolicyColumn> = {}): PolicyColumn => ({
  name,
  typeOid: 25,
  typeName,
  typeModifier: -1,
  isKey: false,
  ...more,
});
const varchar = (name: string, n: number): PolicyColumn => column(name, 'varchar', { typeModifier: n + 4 });
const rules = (columns: Record<string, ColumnRule> | undefined): TenantRules => ({
  tenant: 'acme',
  scope: { kind: 'column', column: 'tenant_id', value: 'acme' },
  columns: columns && { 'shop.customers': columns },
  hashKeys: new Map([
    ['k1', KEY],
    ['short', Buffer.alloc(15, 1)],
  ]),
});
const judge = (columns: PolicyColumn[], rule: Record<string, ColumnRule> | undefined) =>
  compile({ table: 'shop.customers', columns }, rules(rule));
const codeOf = (target: PolicyColumn, rule: ColumnRule): string => {
  const result = judge([target], { [target.name]: rule });
  return isStop(result) ? result.code : 'no stop';
};
const allow: ColumnRule = { action: 'allow' };
const drop: ColumnRule = { action: 'drop' };
const mask: ColumnRule = { action: 'mask' };
const hash: ColumnRule = { action: 'hash', key: 'k1' };

describe('row policy', () => {
  test('without column rules every column is allowed', () => {
    expect(judge([column('a'), column('b', 'int4')], undefined)).toEqual([
      { kind: 'allow' },
      { kind: 'allow' },
    ]);
  });

  test('one action a column, in the order of the relation', () => {
    const columns = [
      column('id', 'int8', { isKey: true }),
      column('tenant_id'),
      column('email'),
      varchar('phone', 40),
      column('note'),
      varchar('name', 2),
    ];
    expect(
      judge(columns, { note: drop, id: allow, tenant_id: allow, phone: hash, email: hash, name: mask }),
    ).toEqual([
      { kind: 'allow' },
      { kind: 'allow' },
      { kind: 'hash', key: KEY, length: 64 },
      { kind: 'hash', key: KEY, length: 40 },
      { kind: 'drop' },
      { kind: 'mask', text: Buffer.from('**') },
    ]);
  });

  test('with column rules a column, or a whole table, that no rule names is a stop', () => {
    expect(judge([column('a'), column('b')], { a: allow })).toMatchObject({
      kind: 'stop',
      code: 'XC-2001',
      table: 'shop.customers',
      column: 'b',
    });
    expect(compile({ table: 'shop.orders', columns: [column('a')] }, rules({ a: allow }))).toMatchObject({
      code: 'XC-2001',
      table: 'shop.orders',
    });
  });

  test('a column named like a property of every object is not allowed by accident', () => {
    expect(judge([column('constructor')], { a: allow })).toMatchObject({ code: 'XC-2001' });
    expect(compile({ table: 'constructor', columns: [column('name')] }, rules({}))).toMatchObject({
      code: 'XC-2001',
    });
  });

  test.each(['text', 'varchar', 'character varying(64)', 'bpchar', 'character', 'citext', 'public.citext'])(
    'hash fits %s',
    (type) => {
      expect(codeOf(column('c', type), hash)).toBe('no stop');
    },
  );

  test.each(['int4', 'uuid', 'jsonb', 'bytea', 'name', 'text[]', '_text', 'mood', '"char"', 'constructor'])(
    'hash and mask do not fit %s, drop does',
    (type) => {
      expect(codeOf(column('c', type), hash)).toBe('XC-2002');
      expect(codeOf(column('c', type), mask)).toBe('XC-2002');
      expect(codeOf(column('c', type), drop)).toBe('no stop');
    },
  );

  test('a hash needs 32 characters', () => {
    expect(codeOf(varchar('c', 31), hash)).toBe('XC-2002');
    expect(judge([varchar('c', 32)], { c: hash })).toMatchObject([{ length: 32 }]);
    expect(judge([varchar('c', 65)], { c: hash })).toMatchObject([{ length: 64 }]);
  });

  test('a key column is allowed or hashed, never dropped or masked', () => {
    const key = column('email', 'text', { isKey: true });
    expect(codeOf(key, allow)).toBe('no stop');
    expect(codeOf(key, hash)).toBe('no stop');
    expect(codeOf(key, mask)).toBe('XC-2003');
    expect(codeOf(key, drop)).toBe('XC-2003');
    expect(codeOf(column('id', 'int8', { isKey: true }), hash)).toBe('XC-2002');
  });

  test('the tenant column is only allowed', () => {
    for (const rule of [hash, mask, drop]) expect(codeOf(column('tenant_id'), rule)).toBe('XC-2004');
    expect(codeOf(column('tenant_id'), allow)).toBe('no stop');
  });

  test('a hash without a usable key is a stop, and the stop does not show the secret', () => {
    expect(codeOf(column('c'), { action: 'hash', key: 'none' })).toBe('XC-2005');
    expect(codeOf(column('c'), { action: 'hash', key: 'short' })).toBe('XC-2005');
    const stop = judge([column('c')], { c: { action: 'hash', key: 'short' } });
    expect(JSON.stringify(stop)).not.toContain('\\u0001');
  });

  test('compileStops lists every mistake', () => {
    const stops = compileStops(
      { table: 'shop.customers', columns: [column('a'), column('b', 'int4'), column('c')] },
      rules({ b: mask, c: allow }),
    );
    expect(stops.map(({ column, code }) => [column, code])).toEqual([
      ['a', 'XC-2001'],
      ['b', 'XC-2002'],
    ]);
  });
});
