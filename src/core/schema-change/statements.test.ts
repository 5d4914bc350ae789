import { describe, expect, test } from 'vitest';
import { column, table } from '../plan/facts.fixture.ts';
import type { TypeFacts } from '../topology/table.ts';
import { addColumn, addLabels, changeType, createTable, renameTable } from './statements.ts';

const orders = { schema: 'shop', name: 'orders' };

describe('a column that came', () => {
  test.each([
    ['nothing in older rows', column('c'), ['ADD COLUMN "c" text;'], true],
    [
      'one value in older rows, which is the default still',
      column('c', { filled: '7', default: '7', typeName: 'integer', notNull: true }),
      ['ADD COLUMN "c" integer DEFAULT \'7\'::integer NOT NULL;'],
      true,
    ],
    [
      'one value in older rows, and another default now',
      column('c', { filled: '2026-01-01', default: 'now()', typeName: 'date' }),
      ['ADD COLUMN "c" date DEFAULT \'2026-01-01\'::date;', 'ALTER COLUMN "c" SET DEFAULT now();'],
      true,
    ],
    [
      'one value in older rows, and no default now',
      column('c', { filled: 'x' }),
      ['ADD COLUMN "c" text DEFAULT \'x\'::text;', 'ALTER COLUMN "c" DROP DEFAULT;'],
      true,
    ],
    [
      'values of their own in older rows',
      column('c', { default: 'random()', typeName: 'double precision', notNull: true }),
      ['ADD COLUMN "c" double precision;', 'ALTER COLUMN "c" SET DEFAULT random();'],
      false,
    ],
    [
      'numbers of a sequence',
      column('c', { default: "nextval('shop.c_seq'::regclass)", typeName: 'bigint' }),
      ['ADD COLUMN "c" bigint;'],
      false,
    ],
    [
      'an identity',
      column('c', { identity: 'always', typeName: 'bigint', notNull: true }),
      ['ADD COLUMN "c" bigint;'],
      false,
    ],
    [
      'a collation',
      column('c', { collation: 'pg_catalog."C"' }),
      ['ADD COLUMN "c" text COLLATE pg_catalog."C";'],
      true,
    ],
  ] as const)('%s', (_, facts, sql, additive) => {
    expect(addColumn(orders, facts)).toEqual({
      sql: sql.map((one) => `ALTER TABLE "shop"."orders" ${one}`),
      additive,
    });
  });

  test('the value of older rows is not put where some tenant may not have it', () => {
    const made = addColumn(orders, column('c', { filled: 'secret', default: "'secret'::text" }), 'c', false);
    expect(made.additive).toBe(false);
    expect(made.sql[0]).toBe('ALTER TABLE "shop"."orders" ADD COLUMN "c" text;');
  });
});

const change = (from: string, to: string): boolean =>
  changeType(orders, column('c', { typeName: to }), column('c', { typeName: from })).additive;

test('only what reads no row is an additive change of type', () => {
  expect(change('character varying(5)', 'character varying(9)')).toBe(true);
  expect(change('character varying(5)', 'text')).toBe(true);
  expect(change('character varying(9)', 'character varying(5)')).toBe(false);
  expect(change('integer', 'bigint')).toBe(false);
  expect(change('text', 'character varying(9)')).toBe(false);
});

const type = (labels: readonly string[]): TypeFacts => ({
  oid: 1,
  schema: 'shop',
  name: 'mood',
  kind: 'e',
  category: 'E',
  elementOid: 0,
  baseOid: 0,
  rangeSubtypeOid: 0,
  attributes: [],
  hasBinary: true,
  strictDomain: false,
  labels,
});

test('labels come at their places, also several in a row', () => {
  const add = 'ALTER TYPE "shop"."mood" ADD VALUE IF NOT EXISTS';
  expect(addLabels(type(['first', 'a', 'x', 'y', 'b', "l'ast"]), type(['a', 'b']))?.sql).toEqual([
    `${add} 'first' BEFORE 'a';`,
    `${add} 'x' AFTER 'a';`,
    `${add} 'y' AFTER 'x';`,
    `${add} 'l''ast' AFTER 'b';`,
  ]);
  expect(addLabels(type(['a']), type(['a', 'own']))).toBeNull();
});

test('a table in another schema and under another name', () => {
  expect(renameTable(orders, { schema: 'old', name: 'Orders' }).sql).toEqual([
    'ALTER TABLE "shop"."orders" RENAME TO "Orders";',
    'ALTER TABLE "shop"."Orders" SET SCHEMA "old";',
  ]);
});

test('a table that came, with what replication needs of it', () => {
  expect(createTable(table('notes')).sql).toEqual([
    `CREATE TABLE IF NOT EXISTS "shop"."notes" (
  "tenant_id" text NOT NULL,
  "id" text NOT NULL,
  "note" text,
  PRIMARY KEY ("tenant_id", "id")
);`,
  ]);
});
