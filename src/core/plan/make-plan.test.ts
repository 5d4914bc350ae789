import { describe, expect, it } from 'vitest';
import { lsnOf } from '../change/lsn.ts';
import { copySlotName, slotName, type Stream } from '../topology/link.ts';
import type { Finding, JoiningTable, Plan, Step } from './plan.ts';
import type { CarriedRow } from './facts.ts';
import type { Config, ConfigInput } from '../config/schema.ts';
import type { TableFacts } from '../topology/table.ts';
import {
  catalogue,
  column,
  config,
  facts,
  linkRow,
  oidOf,
  running,
  streams,
  table,
  tenants,
  wish,
  type Changes,
} from './facts.fixture.ts';
import { refuseGates } from './refuse-gates.ts';
import { makePlan } from './make-plan.ts';
import type { PlanWish } from './wish.ts';

const ID = 'pl_01JABCDEFGHJKMNPQRSTVWXYZ0';
const ACME = 'shop:acme:us:eu';
const BETA = 'shop:beta:us:eu';

const plan = (of: Config, changes?: Changes, wished?: Partial<PlanWish>): Plan =>
  makePlan(facts(of, changes), wish(of, wished), { id: ID, nowMs: 0 });

const only = (of: Config): Stream => {
  const [stream, ...rest] = streams(of);
  if (!stream || rest.length > 0) throw new Error('the fixture has one stream');
  return stream;
};

const tableIn = (one: string | JoiningTable): string =>
  typeof one === 'string' ? one : `${one.table}${one.make ? ' made' : ''}${one.again ? ' again' : ''}`;

/** A step in few words: what decides about it, with what it waits for. */
const told = (step: Step): string => {
  const subject = ((): string => {
    switch (step.kind) {
      case 'publish-tables':
        return [...step.tables, ...step.insertOnly.map((each) => ({ ...each, table: `+${each.table}` }))]
          .map((each) => `${each.table}(${each.filter?.values.join(',') ?? '*'})`)
          .join(' ');
      case 'copy-table':
        return `${step.table} ${step.links.join(' ')}`;
      case 'split-links':
        return `${step.slot.slice(0, 9)} ${step.links.join(' ')}`;
      case 'create-slot':
      case 'merge-links':
        return [step.slot.slice(0, 9), ...step.links, ...(step.tables ?? []).map(tableIn)].join(' ');
      case 'stream-changes':
        return step.slot.slice(0, 9);
      case 'remove-tables':
        return step.tables.map(({ table, links }) => [table, ...links].join(' ')).join(' ');
      case 'move-links':
      case 'remove-links':
      case 'verify':
      case 'repair-rows':
        return step.links.join(' ');
    }
  })();
  return `${step.id} ${step.kind} ${subject} <${step.dependsOn.join(' ')}>`;
};

const row = (name: string, slot: string | null = null, copied = false): CarriedRow => ({
  table: `shop.${name}`,
  relation: oidOf(name),
  slot,
  copied,
});

const kindsOf = ({ steps }: Plan): string[] => steps.map((step) => step.kind);

const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'none';
};

const published = (of: Config, changes: Changes): Extract<Step, { kind: 'publish-tables' }> => {
  const step = plan(of, changes).steps[0];
  if (step?.kind !== 'publish-tables') throw new Error('no publish-tables');
  return step;
};

const dropping = (...who: readonly string[]): Config =>
  config({
    tenants: Object.fromEntries(
      Object.entries(tenants('acme', 'beta')).map(([name, each]) => [
        name,
        who.includes(name)
          ? {
              ...each,
              columns: { 'shop.orders': { tenant_id: 'allow', id: 'allow', note: { action: 'drop' } } },
            }
          : each,
      ]),
    ),
  });

const rule = (more: object): Config =>
  config({ rules: [{ id: 'shop', tenants: ['*'], tables: ['shop.*'], from: 'us', to: ['eu'], ...more }] });

const shop = (...tables: readonly TableFacts[]): Changes => ({
  source: { catalogue: catalogue(...tables) },
});

const ruled = (columns: Record<string, 'allow' | { action: 'drop' | 'mask' }>): Config =>
  config({ tenants: { acme: { ...tenants('acme').acme!, columns: { 'shop.orders': columns } } } });

type TenantInput = NonNullable<ConfigInput['tenants']>[string];

/** Classified as nobody's. */
const NOBODY = { pii: 'none', action: 'allow' } as const;

const resident = (
  residency: NonNullable<TenantInput['residency']>,
  columns: NonNullable<TenantInput['columns']>[string] | undefined,
): Config =>
  config({
    tenants: {
      acme: {
        ...tenants('acme').acme!,
        residency,
        ...(columns ? { columns: { 'shop.orders': columns } } : {}),
      },
    },
  });

const copied = (made: Plan) =>
  made.steps.flatMap((step) => (step.kind === 'copy-table' ? [step.window] : []));

describe('a first copy', () => {
  it('publishes the union of tenants, creates the slot with every link, copies each table once, streams, verifies', () => {
    expect(plan(config()).steps.map(told)).toEqual([
      's1 publish-tables shop.customers(acme,beta) shop.orders(acme,beta) <>',
      `s2 create-slot xcrepl_s_ ${ACME} ${BETA} <s1>`,
      `s3 copy-table shop.customers ${ACME} ${BETA} <s2>`,
      `s4 copy-table shop.orders ${ACME} ${BETA} <s2>`,
      's5 stream-changes xcrepl_s_ <s2 s3 s4>',
      `s6 verify ${ACME} ${BETA} <s5>`,
    ]);
  });

  it('begins again with create-slot when a slot was created but never checkpointed', () => {
    const of = config();
    const { slots } = running(only(of), [], []).source;
    expect(plan(of, { source: { slots: slots ?? [] } }).steps.map((step) => step.kind)).toContain(
      'create-slot',
    );
  });

  it('copies only selected links, and publishes no tenant that was not selected', () => {
    const steps = plan(config(), {}, { selected: new Set([BETA]) }).steps.map(told);
    expect(steps[0]).toBe('s1 publish-tables shop.customers(beta) shop.orders(beta) <>');
    expect(steps.join('\n')).not.toContain(ACME);
  });

  it('makes plans of several streams with step ids of their own', () => {
    const of = config({
      rules: [{ id: 'shop', tenants: ['*'], tables: ['shop.*'], from: 'us', to: ['eu'], dedicated: true }],
    });
    const { steps } = plan(of);
    expect(new Set(steps.map((step) => step.id)).size).toBe(12);
    const streamOf = new Map(steps.map((step) => [step.id, step.stream]));
    for (const step of steps) for (const id of step.dependsOn) expect(streamOf.get(id)).toBe(step.stream);
  });

  it('estimates by what the tenants own, not by the whole table', () => {
    const { estimate } = plan(config(), {
      source: {
        scopedRows: new Map([
          ['shop.customers', 100],
          ['shop.orders', 50],
        ]),
      },
    });
    expect(estimate).toMatchObject({ rows: 150, bytes: 15_000 });
  });

  it('leaves the verification out for a rule that says so', () => {
    const of = config({
      rules: [{ id: 'shop', tenants: ['*'], tables: ['shop.*'], from: 'us', to: ['eu'], verify: 'off' }],
    });
    expect(plan(of).steps.map((step) => step.kind)).not.toContain('verify');
  });
});

describe('a stream that runs', () => {
  const of = config();
  const stream = only(of);
  const both = running(stream, [ACME, BETA], ['acme', 'beta']);

  it('has nothing to do but stream and verify', () => {
    expect(plan(of, both).steps.map(told)).toEqual([
      's1 stream-changes xcrepl_s_ <>',
      `s2 verify ${ACME} ${BETA} <s1>`,
    ]);
  });

  it('resumes an interrupted first copy with what is missing, on the same slot', () => {
    const slot = slotName(stream.key);
    const links = [ACME, BETA].map((link) => linkRow(stream, link, { state: 'copying' }));
    const copies = [
      { slot, table: 'shop.customers', links: [ACME, BETA], chunks: 3, done: 3 },
      { slot, table: 'shop.orders', links: [ACME, BETA], chunks: 3, done: 2 },
    ];
    expect(plan(of, { ...both, target: { ...both.target, links, copies } }).steps.map(told)).toEqual([
      `s1 copy-table shop.orders ${ACME} ${BETA} <>`,
      's2 stream-changes xcrepl_s_ <s1>',
      `s3 verify ${ACME} ${BETA} <s2>`,
    ]);
  });

  it('lets a link join on a side slot and merges it, while the others stream first', () => {
    const steps = plan(of, running(stream, [ACME], ['acme'])).steps;
    expect(steps.map(told)).toEqual([
      's1 publish-tables shop.customers(acme,beta) shop.orders(acme,beta) <>',
      's2 stream-changes xcrepl_s_ <s1>',
      `s3 create-slot xcrepl_c_ ${BETA} <s1>`,
      `s4 copy-table shop.customers ${BETA} <s3>`,
      `s5 copy-table shop.orders ${BETA} <s3>`,
      's6 stream-changes xcrepl_c_ <s3 s4 s5>',
      `s7 merge-links xcrepl_c_ ${BETA} <s2 s6>`,
      `s8 verify ${ACME} ${BETA} <s2 s6 s7>`,
    ]);
    expect(steps[2]).toMatchObject({ slot: copySlotName(stream.key, ID) });
  });

  it('goes on with a link that was joining, on the slot that its row names', () => {
    const side = copySlotName(stream.key, 'an earlier run');
    const target = {
      ...both.target,
      links: [linkRow(stream, ACME), linkRow(stream, BETA, { state: 'copying', slot: side })],
      copies: [{ slot: side, table: 'shop.customers', links: [BETA], chunks: 1, done: 1 }],
      checkpoints: [...both.target.checkpoints!, { ...both.target.checkpoints![0]!, slot: side }],
    };
    const slots = [...(both.source.slots ?? []), { ...both.source.slots![0]!, name: side }];
    expect(plan(of, { source: { ...both.source, slots }, target }).steps.map(told)).toEqual([
      's1 stream-changes xcrepl_s_ <>',
      `s2 copy-table shop.orders ${BETA} <>`,
      's3 stream-changes xcrepl_c_ <s2>',
      `s4 merge-links xcrepl_c_ ${BETA} <s1 s3>`,
      `s5 verify ${ACME} ${BETA} <s1 s3 s4>`,
    ]);
  });

  it('sets a joining link aside whose side slot is lost, and goes on with the others', () => {
    const target = {
      ...both.target,
      links: [linkRow(stream, ACME), linkRow(stream, BETA, { state: 'catching-up', slot: 'xcrepl_c_gone' })],
    };
    const made = plan(of, { ...both, target });
    expect(made.steps.map(told)).toEqual(['s1 stream-changes xcrepl_s_ <>', `s2 verify ${ACME} <s1>`]);
    expect(made.findings).toMatchObject([{ subject: BETA, code: 'XC-5001', verdict: 'fail' }]);
  });

  describe('with a link that an error holds on a slot of its own', () => {
    const own = 'xcrepl_l_0123456789';
    const held = (state: string): Changes => ({
      source: {
        ...both.source,
        slots: [...both.source.slots!, { ...both.source.slots![0]!, name: own, walStatus: state }],
      },
      target: {
        ...both.target,
        links: [linkRow(stream, ACME), linkRow(stream, BETA, { state: 'errored', slot: own })],
        checkpoints: [
          ...both.target.checkpoints!,
          { slot: own, stream: stream.key, position: lsnOf(4_000n) },
        ],
      },
    });

    it('tries it again beside the others, which alone are compared', () => {
      const made = plan(of, held('extended'));
      expect(made.steps.map(told)).toEqual([
        's1 stream-changes xcrepl_s_ <>',
        's2 stream-changes xcrepl_l_ <>',
        `s3 merge-links xcrepl_l_ ${BETA} <s1 s2>`,
        `s4 verify ${ACME} <s1 s2 s3>`,
      ]);
      expect(made.findings).toMatchObject([{ subject: BETA, code: 'XC-5004', severity: 'info' }]);
    });

    it('sets it aside once its slot is lost', () => {
      const made = plan(of, held('lost'));
      expect(made.steps.map((step) => step.kind)).toEqual(['stream-changes', 'verify']);
      expect(made.findings).toMatchObject([{ subject: BETA, verdict: 'fail' }]);
    });
  });

  describe('with a column that one running tenant has no rule for', () => {
    const rules = { tenant_id: 'allow', id: 'allow' } as const;
    const ruled = (...names: string[]): Config =>
      config({
        tenants: Object.fromEntries(
          Object.entries(tenants('acme', 'beta')).map(([name, tenant]) => [
            name,
            names.includes(name)
              ? { ...tenant, columns: { 'shop.customers': rules, 'shop.orders': rules } }
              : tenant,
          ]),
        ),
      });

    it('leaves that link to the runner, so that the other goes on', () => {
      const made = plan(ruled('beta'), both);
      expect(made.steps.map((step) => step.kind)).toEqual(['stream-changes', 'verify']);
      expect(made.findings).toMatchObject([
        {
          subject: 'shop.customers.note',
          code: 'XC-2001',
          severity: 'warn',
          seen: expect.stringContaining(BETA),
        },
        {
          subject: 'shop.orders.note',
          code: 'XC-2001',
          severity: 'warn',
          seen: expect.stringContaining(BETA),
        },
      ]);
    });

    it('refuses where all running links are concerned, or one that has yet to begin', () => {
      expect(code(() => plan(ruled('acme', 'beta'), both))).toBe('XC-2001');
      expect(code(() => plan(ruled('beta'), running(stream, [ACME], ['acme'])))).toBe('XC-2001');
    });
  });

  it('takes off the links that the configuration no longer names', () => {
    const less = config({ tenants: tenants('acme') });
    expect(plan(less, both).steps.map(told)).toEqual([
      's1 publish-tables shop.customers(acme) shop.orders(acme) <>',
      `s2 remove-links ${BETA} <s1>`,
      's3 stream-changes xcrepl_s_ <s2>',
      `s4 verify ${ACME} <s3>`,
    ]);
  });

  it('takes a stopping link off once, and does not copy it again', () => {
    const stopping = (takenOff: boolean): Changes => ({
      ...(takenOff ? running(stream, [ACME], ['acme']) : both),
      target: {
        ...both.target,
        links: [linkRow(stream, ACME), linkRow(stream, BETA, { state: 'stopping', takenOff })],
      },
    });
    expect(plan(of, stopping(false)).steps.map((step) => step.kind)).toEqual([
      'publish-tables',
      'remove-links',
      'stream-changes',
      'verify',
    ]);
    expect(plan(of, stopping(true)).steps.map(told)).toEqual([
      's1 stream-changes xcrepl_s_ <>',
      `s2 verify ${ACME} <s1>`,
    ]);
  });

  describe('a table that comes after its links', () => {
    const came = catalogue(table('customers'), table('new'), table('orders'));
    const SHOP = catalogue(table('customers'), table('orders'));
    const source = { ...both.source, catalogue: came };
    const sideSlot = (name: string): NonNullable<Changes['source']>['slots'] => [
      ...both.source.slots!,
      { ...both.source.slots![0]!, name },
    ];
    const knows = (...rows: readonly CarriedRow[]): Changes['target'] => ({
      ...both.target,
      tables: new Map([ACME, BETA].map((link) => [link, rows])),
    });
    const old = [row('customers'), row('orders')];
    const changesOf = (target: Changes['target'], more: Changes['source'] = {}): Changes => ({
      source: { ...source, ...more },
      target: { ...target, catalogue: came },
    });

    it('is published, copied on a side slot and merged, after the stream itself', () => {
      const made = plan(of, changesOf(knows(...old)));
      expect(made.steps.map(told)).toEqual([
        's1 publish-tables shop.customers(acme,beta) shop.new(acme,beta) shop.orders(acme,beta) <>',
        's2 stream-changes xcrepl_s_ <s1>',
        `s3 create-slot xcrepl_c_ ${ACME} ${BETA} shop.new <s2>`,
        `s4 copy-table shop.new ${ACME} ${BETA} <s3>`,
        's5 stream-changes xcrepl_c_ <s3 s4>',
        `s6 merge-links xcrepl_c_ ${ACME} ${BETA} shop.new <s2 s5>`,
        `s7 verify ${ACME} ${BETA} <s2 s5 s6>`,
      ]);
      expect(made.findings).toEqual([]);
    });

    it('joins although it was published by a run that was killed before it began to copy', () => {
      const published = running(
        stream,
        [ACME, BETA],
        ['acme', 'beta'],
        ['shop.customers', 'shop.new', 'shop.orders'],
      );
      const { publications } = published.source;
      expect(kindsOf(plan(of, changesOf(knows(...old), { publications: publications! })))).toEqual([
        'stream-changes',
        'create-slot',
        'copy-table',
        'stream-changes',
        'merge-links',
        'verify',
      ]);
      // Before there was a list of a link's tables, the publication was it.
      expect(kindsOf(plan(of, changesOf(both.target, { publications: publications! })))).toEqual([
        'stream-changes',
        'verify',
      ]);
    });

    it('goes on where it was cut off, and begins again where its slot is lost', () => {
      const slot = copySlotName(stream.key, `${ID}t`);
      const { publications } = running(
        stream,
        [ACME],
        ['acme', 'beta'],
        ['shop.customers', 'shop.new', 'shop.orders'],
      ).source;
      const checkpoints = [
        ...both.target.checkpoints!,
        { slot, stream: stream.key, position: lsnOf(4_100n) },
      ];
      const at = (copied: boolean, slots = sideSlot(slot)!): Plan =>
        plan(
          of,
          changesOf(
            { ...knows(...old, row('new', slot, copied)), checkpoints },
            { publications: publications!, slots },
          ),
        );
      expect(at(false).steps.map(told)).toEqual([
        's1 stream-changes xcrepl_s_ <>',
        `s2 copy-table shop.new ${ACME} ${BETA} <s1>`,
        's3 stream-changes xcrepl_c_ <s1 s2>',
        `s4 merge-links xcrepl_c_ ${ACME} ${BETA} shop.new <s1 s3>`,
        `s5 verify ${ACME} ${BETA} <s1 s3 s4>`,
      ]);
      expect(kindsOf(at(true))).toEqual(['stream-changes', 'stream-changes', 'merge-links', 'verify']);
      const lost = at(true, both.source.slots);
      expect(lost.steps.map(told)).toContain(`s2 create-slot xcrepl_c_ ${ACME} ${BETA} shop.new again <s1>`);
      expect(lost.findings).toMatchObject([{ code: 'XC-5254', subject: 'shop.new', severity: 'info' }]);
    });

    it('is left out with the statement that the target lacks, or made there', () => {
      const without = { ...knows(...old), catalogue: SHOP };
      const made = plan(of, { source, target: without });
      expect(kindsOf(made)).toEqual(['stream-changes', 'verify']);
      expect(made.findings).toMatchObject([
        {
          code: 'XC-5250',
          subject: 'shop.new',
          severity: 'warn',
          remedy: expect.stringMatching(/^CREATE TABLE IF NOT EXISTS "shop"."new" \(/),
        },
      ]);
      expect(code(() => plan(of, { source, target: without }, { strict: true }))).toBe('XC-2015');
      const additive = config({
        rules: [{ id: 'shop', tenants: ['*'], tables: ['shop.*'], from: 'us', to: ['eu'], ddl: 'additive' }],
      });
      expect(plan(additive, { source, target: without }).steps.map(told)).toContain(
        `s3 create-slot xcrepl_c_ ${ACME} ${BETA} shop.new made <s2>`,
      );
    });

    it.each<[string, Partial<TableFacts>, RegExp]>([
      ['has no tenant column', { columns: [column('id')] }, /XC-2010|tenant_id/],
      [
        'has the tenant outside its identity',
        { identityColumns: ['id'], primaryKey: ['id'] },
        /outside the replica identity/,
      ],
    ])('is left out where it %s, and nothing else with it', (_, more, why) => {
      const odd = catalogue(table('customers'), table('new', more), table('orders'));
      const made = plan(of, {
        source: { ...source, catalogue: odd },
        target: { ...knows(...old), catalogue: odd },
      });
      expect(kindsOf(made)).toEqual(['stream-changes', 'verify']);
      expect(made.findings).toMatchObject([
        { code: 'XC-5251', subject: 'shop.new', severity: 'warn', seen: expect.stringMatching(why) },
      ]);
    });

    it('waits for a link that is held, and keeps out no other link', () => {
      const links = [linkRow(stream, ACME), linkRow(stream, BETA, { state: 'copying' })];
      const made = plan(of, changesOf({ ...knows(...old), links, copies: [] }));
      expect(made.steps.map(told)).toContain(`s5 create-slot xcrepl_c_ ${ACME} shop.new <s4>`);
      expect(made.findings).toMatchObject([{ code: 'XC-5252', subject: 'shop.new' }]);
    });

    it('is another one when it was dropped and made again', () => {
      const again = catalogue(table('customers'), { ...table('orders'), oid: 99 });
      const made = plan(of, {
        source: { ...both.source, catalogue: again },
        target: { ...knows(...old), catalogue: again },
      });
      expect(made.steps.map(told)).toEqual([
        `s1 remove-tables shop.orders ${ACME} ${BETA} <>`,
        's2 stream-changes xcrepl_s_ <s1>',
        `s3 create-slot xcrepl_c_ ${ACME} ${BETA} shop.orders <s2>`,
        `s4 copy-table shop.orders ${ACME} ${BETA} <s3>`,
        's5 stream-changes xcrepl_c_ <s3 s4>',
        `s6 merge-links xcrepl_c_ ${ACME} ${BETA} shop.orders <s2 s5>`,
        `s7 verify ${ACME} ${BETA} <s2 s5 s6>`,
      ]);
    });
  });

  it('takes a table that its rule no longer names off the publication first', () => {
    const less = config({
      rules: [{ id: 'shop', tenants: ['*'], tables: ['shop.customers'], from: 'us', to: ['eu'] }],
    });
    const tables = new Map(
      [ACME, BETA].map((link) => [
        link,
        ['customers', 'orders'].map((name) => ({
          table: `shop.${name}`,
          relation: oidOf(name),
          slot: null,
          copied: false,
        })),
      ]),
    );
    const made = plan(less, { ...both, target: { ...both.target, tables } });
    expect(made.steps.map(told)).toEqual([
      's1 publish-tables shop.customers(acme,beta) <>',
      `s2 remove-tables shop.orders ${ACME} ${BETA} <s1>`,
      's3 stream-changes xcrepl_s_ <s2>',
      `s4 verify ${ACME} ${BETA} <s3>`,
    ]);
    expect(made.findings).toMatchObject([{ code: 'XC-5253', subject: 'shop.orders', severity: 'info' }]);
  });

  it.each<[string, Changes['source'], Changes['target']]>([
    ['is missing', { slots: [] }, {}],
    ['is lost', { slots: [{ ...both.source.slots![0]!, walStatus: 'lost' }] }, {}],
    [
      'was acknowledged past the checkpoint',
      { slots: [{ ...both.source.slots![0]!, confirmedFlush: lsnOf(4_001n) }] },
      {},
    ],
    ['has links but no checkpoint', {}, { checkpoints: [] }],
    ['has links but no publication any more', { publications: [] }, {}],
  ])('refuses when its slot %s', (_, source, target) => {
    const changes = { source: { ...both.source, ...source }, target: { ...both.target, ...target } };
    expect(code(() => plan(of, changes))).toBe('XC-5001');
  });

  it('refuses a source with another system identifier than the checkpoint knows', () => {
    expect(code(() => plan(of, { ...both, target: { ...both.target, knownSource: '7' } }))).toBe('XC-5206');
  });
});

describe('--tables', () => {
  const tables = ['shop.orders'];

  it('copies these alone, and compares no link that still lacks a table', () => {
    const made = plan(config(), {}, { tables });
    expect(made.steps.map((step) => step.kind)).toEqual([
      'publish-tables',
      'create-slot',
      'copy-table',
      'stream-changes',
    ]);
    expect(made.findings).toMatchObject([{ check: 'copy-scope', severity: 'info' }]);
  });

  it('does not merge a joining link that still lacks a table', () => {
    const of = config();
    const made = plan(of, running(only(of), [ACME], ['acme']), { tables });
    expect(made.steps.map(told)).toEqual([
      's1 publish-tables shop.customers(acme,beta) shop.orders(acme,beta) <>',
      's2 stream-changes xcrepl_s_ <s1>',
      `s3 create-slot xcrepl_c_ ${BETA} <s1>`,
      `s4 copy-table shop.orders ${BETA} <s3>`,
      `s5 verify ${ACME} <s2>`,
    ]);
  });
});

describe('what is published', () => {
  it('puts a table without identity where only inserts are published', () => {
    const events = table('events', { identityColumns: [], primaryKey: [], identity: 'nothing' });
    const step = published(config(), { source: { catalogue: catalogue(events, table('orders')) } });
    expect(step.tables.map((each) => each.table)).toEqual(['shop.orders']);
    expect(step.insertOnly.map((each) => each.table)).toEqual(['shop.events']);
  });

  const orders = { source: { catalogue: catalogue(table('orders')) } };

  it('leaves a column out only when every tenant drops it', () => {
    expect(published(dropping('acme', 'beta'), orders).tables[0]?.columns).toEqual(['tenant_id', 'id']);
    expect(published(dropping('acme'), orders).tables[0]?.columns).toBeNull();
  });

  it('never gives a column list to a table under REPLICA IDENTITY FULL', () => {
    const full = table('orders', { identity: 'full', identityColumns: ['tenant_id', 'id', 'note'] });
    expect(
      published(dropping('acme', 'beta'), { source: { catalogue: catalogue(full) } }).tables[0]?.columns,
    ).toBeNull();
  });

  it('carries leaves by their partitioned table, and nothing unlogged', () => {
    const source = {
      catalogue: catalogue(
        table('events', { kind: 'p', leaves: ['shop.events_1'] }),
        table('events_1', { isPartition: true }),
        table('scratch', { persistence: 'unlogged' }),
      ),
    };
    expect(published(config(), { source }).tables.map((each) => each.table)).toEqual(['shop.events']);
  });

  it('publishes a tenant’s schema whole and no other schema', () => {
    const of = config({
      tenants: { acme: { scope: { kind: 'schema', schema: 'shop' } } },
      rules: [{ id: 'all', tenants: ['*'], tables: ['*.*'], from: 'us', to: ['eu'] }],
    });
    const source = { catalogue: catalogue(table('orders'), table('orders', { schema: 'other' })) };
    expect(published(of, { source }).tables).toEqual([{ table: 'shop.orders', filter: null, columns: null }]);
  });
});

describe('refusals', () => {
  const block: Finding = {
    check: 'column-type',
    subject: 'shop.orders.note',
    verdict: 'fail',
    severity: 'block',
    seen: 'text on the source, integer on the target',
  };

  it.each<[string, string, () => unknown]>([
    ['a hot rule', 'XC-1007', () => plan(rule({ tier: 'hot' }))],
    ['a cold rule', 'XC-1007', () => plan(rule({ tier: 'cold' }))],
    ['an active-active rule', 'XC-1007', () => plan(rule({ mode: 'active-active' }))],
    [
      'a column without a rule',
      'XC-2001',
      () => plan(ruled({ tenant_id: 'allow', id: 'allow' }), shop(table('orders'))),
    ],
    [
      'a target outside the tenant’s zones',
      'XC-2032',
      () => plan(resident({ zones: ['us'] }, undefined), shop(table('orders'))),
    ],
    [
      'the same with a column that is allowed without a class',
      'XC-2032',
      () =>
        plan(
          resident({ zones: ['us'], redacted: 'any' }, { tenant_id: NOBODY, id: NOBODY, note: 'allow' }),
          shop(table('orders')),
        ),
    ],
    [
      'dropping a key column',
      'XC-2003',
      () => plan(ruled({ tenant_id: 'allow', id: { action: 'drop' }, note: 'allow' }), shop(table('orders'))),
    ],
    [
      'a table without the tenant’s column',
      'XC-2010',
      () => plan(config(), shop(table('rates', { columns: [column('id')] }))),
    ],
    [
      'tenants that scope one table differently',
      'XC-2011',
      () =>
        plan(
          config({ tenants: { ...tenants('acme'), beta: { scope: { kind: 'schema', schema: 'shop' } } } }),
        ),
    ],
    [
      'a filter outside the identity',
      'XC-2013',
      () => plan(config(), shop(table('orders', { identityColumns: ['id'] }))),
    ],
    ['a finding that blocks', 'XC-2014', () => plan(config(), {}, { findings: [block] })],
    [
      'a warning under --strict',
      'XC-2015',
      () => plan(config(), {}, { findings: [{ ...block, severity: 'warn' }], strict: true }),
    ],
  ])('%s', (_, expected, run) => {
    expect(code(run)).toBe(expected);
  });

  it('ignores what was not selected', () => {
    expect(plan(rule({ tier: 'hot' }), {}, { selected: new Set() }).steps).toEqual([]);
  });

  it('names every column without a rule at once', () => {
    expect(() => plan(ruled({}), shop(table('orders')))).toThrow(/tenant_id.*id.*note/);
  });
});

describe('the time range', () => {
  const window = { from: '2026-01-01', to: null };

  it('limits tables with a declared time column, and names those without', () => {
    const of = config({
      rules: [
        {
          id: 'shop',
          tenants: ['*'],
          tables: ['shop.*'],
          from: 'us',
          to: ['eu'],
          timeColumns: { 'shop.orders': 'at' },
        },
      ],
    });
    const made = plan(of, {}, { window });
    expect(copied(made)).toEqual([null, { column: 'at', ...window }]);
    expect(made.findings).toMatchObject([{ subject: 'shop.customers', check: 'window', severity: 'warn' }]);
  });
});

const POLICY: NonNullable<PlanWish['policy']> = {
  environment: 'production',
  documents: [],
  manifests: new Map(),
  approvals: { required: 2, keys: 3 },
  budgets: [],
};
const verdicts = (of: Config, more: Partial<PlanWish> = {}, changes: Changes = {}): string =>
  plan(of, changes, more)
    .policy.map(({ gate, verdict }) => `${gate} ${verdict}`)
    .join(', ');

describe('the policy table', () => {
  it('lets redacted rows leave the zones of a tenant that says so', () => {
    const open = resident(
      { zones: ['us'], redacted: 'any' },
      { tenant_id: NOBODY, id: NOBODY, note: { action: 'drop' } },
    );
    expect(plan(open, shop(table('orders'))).policy.at(-1)).toMatchObject({
      gate: 'residency',
      verdict: 'PASS',
      reason: '0 links within the zones of their tenants; 1 link outside, with everything personal redacted',
    });
  });

  it('passes a plan in which nothing is wrong, and blocks what nothing is known of', () => {
    expect(verdicts(config(), { policy: POLICY })).toBe(
      'P1 PASS, P2 PASS, P3 PASS, P4 PASS, P5 PASS, P6 PASS, P7 PASS, residency PASS',
    );
    expect(verdicts(config())).toContain('P2 BLOCKED, P3 PASS, P4 PASS, P5 PASS, P6 BLOCKED');
  });

  it.each([{ kind: 'schema', schema: 'shop' } as const, { kind: 'database', database: 'shop' } as const])(
    'fails where one tenant owns a table whole ($kind) in which another has rows, dedicated or not',
    (scope) => {
      const rule = { tables: ['shop.*'], from: 'us', to: ['eu'], dedicated: true };
      const both = config({
        tenants: { ...tenants('acme'), beta: { scope } },
        rules: [
          { id: 'r1', tenants: ['acme'], ...rule },
          { id: 'r2', tenants: ['beta'], ...rule },
        ],
      });
      expect(plan(both).policy.find(({ gate }) => gate === 'P5')).toMatchObject({
        verdict: 'FAIL',
        reason: expect.stringMatching(/is sent for \w+ by \w+ and for \w+ by/) as string,
      });
    },
  );

  it('asks for approval where rows are replaced, and for a manifest where personal data goes as it is', () => {
    expect(verdicts(config(), { policy: POLICY, existing: 'replace' })).toContain('P3 FAIL');
    const bare = config({
      tenants: {
        acme: {
          ...tenants('acme').acme!,
          columns: {
            'shop.orders': { tenant_id: 'allow', id: 'allow', note: { pii: 'email', action: 'allow' } },
          },
        },
      },
    });
    const made = plan(bare, shop(table('orders')), { policy: POLICY });
    expect(made.policy[0]).toMatchObject({
      verdict: 'FAIL',
      reason: expect.stringContaining('shop.orders.note') as string,
    });
    expect(() => refuseGates(made.policy, made.id)).toThrow(expect.objectContaining({ code: 'XC-2033' }));
    const manifests = new Map([['acme', { scopes: ['pii:replicate'], approved: true }]]);
    expect(verdicts(bare, { policy: { ...POLICY, manifests } }, shop(table('orders')))).toContain('P1 PASS');
  });
});

const chunksOf = (wished?: Partial<PlanWish>): number[] =>
  plan(config(), undefined, wished).steps.flatMap((step) =>
    step.kind === 'copy-table' ? [step.chunks] : [],
  );

describe('the size of a chunk', () => {
  it('is what was asked for, which the plan keeps', () => {
    expect(chunksOf()).toEqual([1, 1]);
    expect(chunksOf({ chunkBytes: 30_000 })).toEqual([4, 4]);
    expect(plan(config(), undefined, { chunkBytes: 30_000 }).wish.chunkBytes).toBe(30_000);
  });
});
