import { expect, test } from 'vitest';
import { isWidening } from './schema-diff.ts';

test.each([
  ['smallint', 'bigint'],
  ['integer', 'numeric'],
  ['real', 'double precision'],
  ['character varying(10)', 'text'],
  ['character varying(10)', 'character varying(20)'],
  ['numeric(6,2)', 'numeric'],
  ['numeric(6,2)', 'numeric(8,4)'],
  ['timestamp(3) with time zone', 'timestamp with time zone'],
  ['time(0) without time zone', 'time(3) without time zone'],
  ['bit varying(8)', 'bit varying'],
])('%s fits into %s, and not the other way round', (narrow, wide) => {
  expect(isWidening(narrow, wide)).toBe(true);
  expect(isWidening(wide, narrow)).toBe(false);
});

test.each([
  ['numeric(6,2)', 'numeric(7,4)'],
  ['timestamp(3) with time zone', 'timestamp without time zone'],
  ['character(5)', 'text'],
  ['bit(5)', 'bit(8)'],
  ['bigint', 'double precision'],
])('%s does not fit into %s', (narrow, wide) => {
  expect(isWidening(narrow, wide)).toBe(false);
});
