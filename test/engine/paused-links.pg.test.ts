/** Links that an operator pauses stand still on slots of their own; nothing of theirs is lost, and nobody waits for them. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { linkSlotName, slotName } from '../../src/core/topology/link.ts';
import { connect, disconnect } from '../../src/providers/postgres/connect.ts';
import { askForPause } from '../../src/providers/postgres/target-state.ts';
import type { Pair } from '../harness/pair.ts';
import { TARGET_REGION } from '../servers/server-pair.ts';
import { pairOf } from './empty-pair.ts';
import { apart, differing, linkOf, manyTenants, slotsOf, streamSlot, tenantNames } from './many-links.ts';
import { planFor, runPlan, runSteps } from './run-plan.ts';
import { openTestEngine, type TestEngine } from './test-engine.ts';

const TENANTS = tenantNames(5);

let pair: Pair;
let engine: TestEngine;
let main: string;
beforeAll(async () => {
  pair = await pairOf(
    'CREATE TABLE app.items (tenant text, id int, v int NOT NULL, PRIMARY KEY (tenant, id))',
    (config) => {
      const base = manyTenants(TENANTS)(config);
      return { ...base, rules: base.rules!.map((rule) => ({ ...rule, verify: 'off' as const })) };
    },
  );
  await pair.source.query(
    `INSERT INTO app.items SELECT 't' || lpad(t::text, 2, '0'), i, 0 FROM generate_series(1, 5) t, generate_series(1, 5) i`,
  );
  engine = await openTestEngine(pair, { upkeep: { retention: tight } });
  main = slotName(engine.stream.key);
  await engine.copyAndStream();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await pair[Symbol.asyncDispose]();
});
beforeEach(() => {
  tight.heldBytes = null;
});

/** The budget is changed under the engine. */
const tight: { limitBytes: number; heldBytes: number | null; alarmAt: number; alarmWithinMs: number } = {
  limitBytes: 2 ** 36,
  heldBytes: null,
  alarmAt: 0.5,
  alarmWithinMs: 3_600_000,
};

const ask = async (wanted: 'pause' | 'resume', ...tenants: string[]): Promise<string[]> => {
  const client = await connect(pair.target.dsn, { subject: TARGET_REGION });
  try {
    const links = await askForPause(
      client,
      tenants.map((name) => linkOf(name)),
      wanted,
      TARGET_REGION,
    );
    return links.map(({ state, changed }) => `${state}${changed ? '' : ', no change'}`);
  } finally {
    await disconnect(client);
  }
};

let value = 0;
/** Every tenant changes, in one transaction. */
const everybody = (): Promise<unknown> => {
  value++;
  return pair.source.query(
    `BEGIN; UPDATE app.items SET v = ${value} WHERE id = 1; INSERT INTO app.items SELECT DISTINCT tenant, ${100 + value}, ${value} FROM app.items; COMMIT`,
  );
};

const held = async (): Promise<string[]> =>
  (await apart(pair)).map((row) => `${row.tenant} ${row.state} ${row.slot}`);

const run = (wish = {}): Promise<string[]> => runPlan(pair, engine, wish);

const allBack = async (): Promise<void> => {
  expect(await apart(pair)).toEqual([]);
  expect(await slotsOf(pair)).toEqual([main]);
  expect(await differing(pair, TENANTS)).toEqual([]);
};

describe('a link that is paused', () => {
  const own = linkSlotName(linkOf('t02'));

  test('is split off before anything flows, and stands still while the others go on', async () => {
    await everybody();
    expect(await ask('pause', 't02')).toEqual(['pausing']);
    expect(await ask('pause', 't02')).toEqual(['pausing, no change']);
    expect(await run()).toEqual(['split-links', 'stream-changes']);
    expect(await held()).toEqual([`t02 paused ${own}`]);
    expect(await slotsOf(pair)).toEqual([own, main].toSorted());
    expect(await differing(pair, TENANTS)).toEqual(['t02']);
    expect(await pair.target.query(`SELECT FROM app.items WHERE tenant = 't02' AND v <> 0`)).toEqual([]);
  });

  test('stays so run after run, and its slot cannot be read past it', async () => {
    await everybody();
    expect(await ask('pause', 't02')).toEqual(['paused, no change']);
    expect(await run()).toEqual(['stream-changes']);
    await expect(streamSlot(engine, own)).rejects.toMatchObject({ code: 'XC-5241' });
    expect(await held()).toEqual([`t02 paused ${own}`]);
    expect(await differing(pair, TENANTS)).toEqual(['t02']);
  });

  test('gets what came meanwhile once it is resumed, and goes back to the shared stream', async () => {
    expect(await ask('resume', 't02', 't03')).toEqual(['catching-up', 'streaming, no change']);
    await everybody();
    expect(await run()).toEqual(['stream-changes', 'stream-changes', 'merge-links']);
    await allBack();
    await everybody();
    expect(await run()).toEqual(['stream-changes']);
    await allBack();
  });

  test('is not split off when it is resumed before a run came', async () => {
    await ask('pause', 't02');
    const { steps } = await planFor(pair, engine.stream);
    expect(await ask('resume', 't02')).toEqual(['streaming']);
    expect(await ask('resume', 't02')).toEqual(['streaming, no change']);
    const [split] = await runSteps(engine, steps);
    expect(split).toMatchObject({ step: { kind: 'split-links' }, result: { links: 0, position: null } });
    await allBack();
  });
});

test('links that are paused together share a slot, and part when one of them is resumed', async () => {
  await ask('pause', 't01', 't04');
  await run();
  const shared = linkSlotName(linkOf('t01'));
  expect(await held()).toEqual([`t01 paused ${shared}`, `t04 paused ${shared}`]);
  await everybody();
  await ask('resume', 't01');
  await run();
  expect(await held()).toEqual([`t04 paused ${linkSlotName(linkOf('t04'))}`]);
  expect(await differing(pair, TENANTS)).toEqual(['t04']);
  await ask('resume', 't04');
  await everybody();
  await run();
  await allBack();
});

test('all of them paused: the stream’s own slot moves on, and keeps no log for nobody', async () => {
  await ask('pause', ...TENANTS);
  await run();
  const confirmed = () =>
    pair.source.query<{ at: string }>(
      `SELECT confirmed_flush_lsn::text AS at FROM pg_replication_slots WHERE slot_name = $1`,
      [main],
    );
  const before = await confirmed();
  await everybody();
  expect(await run()).toEqual(['stream-changes']);
  expect(await confirmed()).not.toEqual(before);
  expect(await differing(pair, TENANTS)).toEqual(TENANTS);
  await ask('resume', ...TENANTS);
  await run();
  await allBack();
});

test('a link that an error holds is paused and resumed where it stands', async () => {
  await pair.target.query(
    `ALTER TABLE app.items ADD CONSTRAINT odd CHECK (tenant NOT IN ('t03', 't05') OR id <> 900)`,
  );
  await pair.source.query(`INSERT INTO app.items VALUES ('t03', 900, 0), ('t05', 900, 0)`);
  await run();
  const shared = linkSlotName(linkOf('t03'));
  expect(await held()).toEqual([`t03 errored ${shared}`, `t05 errored ${shared}`]);
  expect(await ask('pause', 't03')).toEqual(['pausing']);
  await run();
  expect(await held()).toEqual([`t03 paused ${linkSlotName(linkOf('t03'))}_2`, `t05 errored ${shared}`]);
  await ask('resume', 't03');
  await everybody();
  await run();
  expect((await held()).map((row) => row.slice(0, 11))).toEqual(['t03 errored', 't05 errored']);
  await pair.target.query('ALTER TABLE app.items DROP CONSTRAINT odd');
  await run();
  await allBack();
});

describe('past its budget of log', () => {
  test('a held link is given up, is named, and is mended by reading what differs', async () => {
    await ask('pause', 't02');
    await run();
    expect(await engine.engine.expireHeld()).toEqual([]);
    await everybody();
    tight.heldBytes = 0;
    expect(await engine.engine.expireHeld()).toEqual([
      expect.objectContaining({
        link: linkOf('t02'),
        code: 'XC-5242',
        message: expect.stringMatching(/held back .* of log/),
      }),
    ]);
    expect(await slotsOf(pair)).toEqual([main]);
    expect((await apart(pair)).map(({ tenant, state, why }) => ({ tenant, state, why }))).toEqual([
      { tenant: 't02', state: 'needs-repair', why: expect.stringMatching(/was dropped$/) },
    ]);
    const plan = await planFor(pair, engine.stream);
    expect(plan.findings).toEqual([
      expect.objectContaining({
        subject: linkOf('t02'),
        verdict: 'fail',
        remedy: expect.stringContaining('doctor --plan'),
      }),
    ]);
    await everybody();
    expect(await run()).toEqual(['stream-changes']);
    expect(await ask('resume', 't02')).toEqual(['needs-repair, no change']);
    expect(await differing(pair, TENANTS)).toEqual(['t02']);
    expect(await run({ repair: true, selected: [linkOf('t02')] })).toEqual([
      'stream-changes',
      'create-slot',
      'copy-table',
      'stream-changes',
      'merge-links',
    ]);
    await allBack();
  });

  test('one that was resumed is left its slot', async () => {
    await ask('pause', 't02');
    await run();
    await everybody();
    await ask('resume', 't02');
    tight.heldBytes = 0;
    expect(await engine.engine.expireHeld()).toEqual([]);
    await run();
    await allBack();
  });
});

test('a paused link whose slot was lost is mended likewise', async () => {
  await ask('pause', 't04');
  await run();
  await everybody();
  await pair.source.query('SELECT pg_drop_replication_slot($1)', [linkSlotName(linkOf('t04'))]);
  const plan = await planFor(pair, engine.stream);
  expect(plan.findings).toEqual([expect.objectContaining({ code: 'XC-5001', subject: linkOf('t04') })]);
  await run({ repair: true });
  await allBack();
});

test('a link that goes takes its own slot and origin with it', async () => {
  const own = linkSlotName(linkOf('t05'));
  await ask('pause', 't05');
  await run();
  await pair.target.query('SELECT pg_replication_origin_create($1)', [own]);
  await pair.target.query(`UPDATE xcrepl.links SET state = 'stopping' WHERE tenant = 't05'`);
  const { steps } = await planFor(pair, engine.stream);
  const removed = (await runSteps(engine, steps)).find(({ step }) => step.kind === 'remove-links');
  expect(removed?.result).toEqual({
    links: 1,
    removed: [
      `slot ${own} on ${engine.stream.source.region}`,
      `origin ${own} on ${engine.stream.target.region}`,
    ],
  });
  expect(await slotsOf(pair)).toEqual([main]);
});
