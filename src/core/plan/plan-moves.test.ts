import { expect, it } from 'vitest';
import { streamKey } from '../topology/link.ts';
import { config, facts, linkRow, oidOf, streams, wish } from './facts.fixture.ts';
import type { CarriedRow } from './facts.ts';
import { makePlan } from './make-plan.ts';

const ACME = 'shop:acme:us:eu';
const dedicated = config({
  rules: [{ id: 'shop', tenants: ['acme'], tables: ['shop.*'], from: 'us', to: ['eu'], dedicated: true }],
});
const [stream] = streams(dedicated);
const shared = { ...stream!, key: streamKey('acme', stream!.source, stream!.target) };

/** The link stands on the shared stream, with these tables. */
const planned = (...carried: readonly (readonly [string, string | null])[]) => {
  const rows = carried.map(([name, slot]): CarriedRow => ({
    table: `shop.${name}`,
    relation: oidOf(name),
    slot,
    copied: true,
  }));
  const target = { elsewhere: [linkRow(shared, ACME)], tables: new Map([[ACME, rows]]) };
  return makePlan(facts(dedicated, { target }), wish(dedicated, { move: true }), { id: 'pl_1', nowMs: 0 });
};

it('a link comes over with the tables that it carries, and no others', () => {
  const { steps, findings } = planned(['orders', null]);
  expect(steps.map(({ kind }) => kind)).toEqual([
    'publish-tables',
    'create-slot',
    'move-links',
    'stream-changes',
    'verify',
  ]);
  expect(steps[0]).toMatchObject({ tables: [{ table: 'shop.orders' }] });
  expect(findings).toContainEqual(expect.objectContaining({ subject: 'shop.customers', code: 'XC-5252' }));
});

it('while a table joins it on the other stream, it stays there', () => {
  const { steps, findings } = planned(['orders', null], ['customers', 'xcrepl_c_1']);
  expect(steps).toEqual([]);
  expect(findings).toContainEqual(expect.objectContaining({ subject: ACME, code: 'XC-5243' }));
});
