import { describe, expect, it } from 'vitest';
import { lsnOf } from '../change/lsn.ts';
import { basisOf, groundOf } from './basis.ts';
import type { ReplicationFacts } from './facts.ts';
import { catalogue, column, config, facts, running, streams, table, type Changes } from './facts.fixture.ts';

const of = config();
const [stream] = streams(of);
const both = running(stream!, ['shop:acme:us:eu', 'shop:beta:us:eu'], ['acme', 'beta']);
const base = facts(of, both);
const changed = (changes: Changes): ReplicationFacts =>
  facts(of, { source: { ...both.source, ...changes.source }, target: { ...both.target, ...changes.target } });

describe('what does not decide', () => {
  it.each<[string, ReplicationFacts]>([
    ['order of tables', changed({ source: { catalogue: catalogue(table('orders'), table('customers')) } })],
    ['order of links', changed({ target: { links: both.target.links!.toReversed() } })],
    [
      'positions',
      changed({
        source: { currentLsn: lsnOf(9_999n) },
        target: { checkpoints: [{ ...both.target.checkpoints![0]!, position: lsnOf(4_500n) }] },
      }),
    ],
    [
      'sizes',
      changed({
        source: {
          catalogue: catalogue(table('customers', { bytes: 7, estimatedRows: 8, oid: 9 }), table('orders')),
        },
      }),
    ],
    [
      'tables out of scope',
      changed({
        source: { catalogue: catalogue(table('customers'), table('orders'), table('a', { schema: 'b' })) },
      }),
    ],
    ['a minor version', changed({ source: { version: 180_005 } })],
    [
      'a slot that is active or extended',
      changed({ source: { slots: [{ ...both.source.slots![0]!, active: true, walStatus: 'extended' }] } }),
    ],
  ])('%s', (_, other) => {
    expect(basisOf(other)).toBe(basisOf(base));
  });
});

describe('what decides', () => {
  it.each<[string, ReplicationFacts]>([
    ['a moved role', changed({ target: { role: 'primary' } })],
    ['an epoch', changed({ target: { epoch: 2 } })],
    ['a timeline', changed({ source: { timeline: 2 } })],
    ['another server', changed({ source: { systemIdentifier: '1' } })],
    [
      'a column',
      changed({
        source: { catalogue: catalogue(table('customers', { columns: [column('id')] }), table('orders')) },
      }),
    ],
    [
      'a new table in scope',
      changed({ target: { catalogue: catalogue(table('customers'), table('orders'), table('new')) } }),
    ],
    [
      'a rule',
      facts(
        config({
          rules: [
            { id: 'shop', tenants: ['*'], tables: ['shop.*'], from: 'us', to: ['eu'], ddl: 'additive' },
          ],
        }),
        both,
      ),
    ],
  ])('%s, for basis and ground alike', (_, other) => {
    expect(basisOf(other)).not.toBe(basisOf(base));
    expect(groundOf(other)).not.toBe(groundOf(base));
  });

  it.each<[string, ReplicationFacts]>([
    ['a slot that is gone', changed({ source: { slots: [] } })],
    [
      'a slot that is lost',
      changed({ source: { slots: [{ ...both.source.slots![0]!, walStatus: 'lost' }] } }),
    ],
    ['a link that came', changed({ target: { links: both.target.links!.slice(0, 1) } })],
  ])('%s, for the basis alone', (_, other) => {
    expect(basisOf(other)).not.toBe(basisOf(base));
    expect(groundOf(other)).toBe(groundOf(base));
  });
});

it('stands after init', () => {
  expect(basisOf(changed({ target: { epoch: null } }))).toBe(basisOf(base));
});
