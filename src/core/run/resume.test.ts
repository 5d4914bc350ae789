import { describe, expect, it } from 'vitest';
import { config, facts, linkRow, running, streams, wish, type Changes } from '../plan/facts.fixture.ts';
import { slotName } from '../topology/link.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { Plan } from '../plan/plan.ts';
import { planToRun } from './resume.ts';
import { parsePlan } from './plan-file.ts';

const of = config();
const stream = streams(of)[0]!;
const LINKS = ['shop:acme:us:eu', 'shop:beta:us:eu'];
const both = running(stream, LINKS, ['acme', 'beta']);
const at = (changes: Changes, links?: readonly string[]): Plan =>
  makePlan(facts(of, changes), wish(of, links ? { selected: new Set(links) } : {}), { id: 'pl_1', nowMs: 0 });
const reviewed = at({});
const run = (fresh: Plan, nowMs = 1_000): Plan => planToRun(reviewed, fresh, nowMs);

const halfCopied: Changes = {
  ...both,
  target: {
    ...both.target,
    links: LINKS.map((link) => linkRow(stream, link, { state: 'copying' })),
    copies: [{ slot: slotName(stream.key), table: 'shop.customers', links: LINKS, chunks: 1, done: 1 }],
  },
};

describe('a reviewed plan', () => {
  it('runs as it is while nothing has moved', () => {
    expect(run(at({}))).toBe(reviewed);
  });

  it('goes on with what is left after it was cut short', () => {
    expect(run(at(halfCopied)).steps.map((step) => step.kind)).toEqual([
      'copy-table',
      'stream-changes',
      'verify',
    ]);
  });

  it('streams and verifies when it was done already', () => {
    expect(run(at(both)).steps.map((step) => step.kind)).toEqual(['stream-changes', 'verify']);
  });

  it.each<[string, () => Plan]>([
    ['a role has moved', () => run(at({ target: { role: 'primary' } }))],
    ['an epoch has moved', () => run(at({ target: { epoch: 2 } }))],
    ['it has expired', () => run(at({}), Date.parse(reviewed.expiresAt))],
    ['the configuration is another', () => planToRun({ ...reviewed, config: 'sha256:1' }, at({}), 0)],
    [
      'more is needed than was reviewed',
      () => planToRun(at({}, [LINKS[0]!]), at(running(stream, [LINKS[0]!], ['acme'])), 0),
    ],
  ])('is stale when %s', (_, go) => {
    expect(go).toThrow(expect.objectContaining({ code: 'XC-3001' }));
  });
});

describe('a plan file', () => {
  it('comes back as it was written', () => {
    expect(parsePlan(JSON.stringify(reviewed), 'plan.json')).toEqual(reviewed);
  });

  it.each([
    ['no JSON', '{'],
    ['no plan', '{}'],
    ['a newer version', JSON.stringify({ ...reviewed, schemaVersion: 2 })],
    ['an unknown key', JSON.stringify({ ...reviewed, more: 1 })],
    [
      'an unknown step',
      JSON.stringify({ ...reviewed, steps: [{ ...reviewed.steps[0], kind: 'drop-table' }] }),
    ],
  ])('is refused when it is %s', (_, text) => {
    expect(() => parsePlan(text, 'plan.json')).toThrow(expect.objectContaining({ code: 'XC-1303' }));
  });
});
