import { expect, it } from 'vitest';
import { readRowFilter, sameRowFilter } from './row-filter.ts';

it.each<[string, string, readonly string[]]>([
  [`(tenant_id = 'a'::text)`, 'tenant_id', ['a']],
  [`((tenant_id)::text = 'a'::text)`, 'tenant_id', ['a']],
  [`(tenant_id = ANY (ARRAY['b'::text, 'a'::text]))`, 'tenant_id', ['a', 'b']],
  [
    `((tenant_id)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))`,
    'tenant_id',
    ['a', 'b'],
  ],
  [`(tenant_id = ANY ('{a,b,"c,d","e\\"f"}'::text[]))`, 'tenant_id', ['a', 'b', 'c,d', 'e"f']],
  [`(tenant_id = ANY ('{1,2}'::integer[]))`, 'tenant_id', ['1', '2']],
  [`(tenant_id = 7)`, 'tenant_id', ['7']],
  [`(tenant_id = ANY (ARRAY[2, 1, '-3'::integer]))`, 'tenant_id', ['-3', '1', '2']],
  [`((c)::text = 'a'::character varying(40))`, 'c', ['a']],
  [`(tenant_id = ANY (ARRAY[(1)::bigint, (2)::bigint]))`, 'tenant_id', ['1', '2']],
  [`("Tenant Id" = 'O''Brien'::text)`, 'Tenant Id', [`O'Brien`]],
  [`(t = 'x AND y'::text)`, 't', ['x AND y']],
  [`(t = '7d9c…'::uuid)`, 't', ['7d9c…']],
  [
    `('{"b": 0, "O''Brien": 0, "say \\"a\\"": 0}'::jsonb ? tenant_id)`,
    'tenant_id',
    [`O'Brien`, 'b', 'say "a"'],
  ],
  [`('{"x = AND": 0}'::jsonb ? ("Tenant Id")::text)`, 'Tenant Id', ['x = AND']],
  [`('{"7": 0, "fffffffffffffffd": 0}'::jsonb ? to_hex((n)::bigint))`, 'n', ['-3', '7']],
  [
    `('{"0188d5e0c9a27bc1a1b2000000000001": 0}'::jsonb ? encode(uuid_send(t), 'hex'::text))`,
    't',
    ['0188d5e0-c9a2-7bc1-a1b2-000000000001'],
  ],
])('reads %s', (text, column, values) => {
  expect(readRowFilter(text)).toEqual({ column, values });
});

it.each([
  '(tenant_id IS NOT NULL)',
  `('{"a": 0}'::jsonb ? lower(t))`,
  `((a = 'x'::text) AND (b = 'y'::text))`,
  '(a > 1)',
])('does not read %s', (text) => {
  expect(readRowFilter(text)).toBeNull();
});

it('takes a filter that it cannot read for another one', () => {
  expect(sameRowFilter('(a > 1)', { column: 'a', values: ['1'] })).toBe(false);
  expect(sameRowFilter(null, null)).toBe(true);
  expect(sameRowFilter(null, { column: 'a', values: ['1'] })).toBe(false);
});
