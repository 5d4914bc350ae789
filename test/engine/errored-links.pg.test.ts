/** One link's error holds that link alone: on a slot of its own, from its own position, until it passes. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linkSlotName, slotName } from '../../src/core/topology/link.ts';
import type { Pair } from '../harness/pair.ts';
import { pairOf } from './empty-pair.ts';
import {
  apart,
  differing,
  linkOf,
  manyTenants,
  mergeSlot,
  slotsOf,
  streamSlot,
  tenantNames,
} from './many-links.ts';
import { openTestEngine, type TestEngine } from './test-engine.ts';

const TENANTS = tenantNames(20);
const SQL = `
  CREATE TABLE app.items (tenant text, id int, v int NOT NULL, body text, PRIMARY KEY (tenant, id));`;

let pair: Pair;
let engine: TestEngine;
let main: string;
beforeAll(async () => {
  pair = await pairOf(SQL, manyTenants(TENANTS));
  await pair.source.query(
    `INSERT INTO app.items SELECT 't' || lpad(t::text, 2, '0'), i, 0, 'x' FROM generate_series(1, 20) t, generate_series(1, 5) i`,
  );
  engine = await openTestEngine(pair);
  main = slotName(engine.stream.key);
  await engine.copyAndStream();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await pair[Symbol.asyncDispose]();
});

/** Every tenant changes, in one transaction. */
const everybody = (id: number): Promise<unknown> =>
  pair.source.query(
    `BEGIN; UPDATE app.items SET v = v + 100 WHERE id = 1; INSERT INTO app.items SELECT DISTINCT tenant, ${id}, 1, 'all' FROM app.items; COMMIT`,
  );

const mergeAll = async (...names: string[]): Promise<void> => {
  for (const slot of await slotsOf(pair)) {
    if (slot === main) continue;
    const links = (await apart(pair)).filter((row) => row.slot === slot).map(({ tenant }) => linkOf(tenant));
    expect(await mergeSlot(engine, slot, links)).toBe(links.length);
  }
  await engine.catchUp();
  expect(await differing(pair, names)).toEqual([]);
  expect(await apart(pair)).toEqual([]);
  expect(await slotsOf(pair)).toEqual([main]);
};

describe('a poisoned row of one of 20 tenants', () => {
  test('holds that tenant alone, inside a transaction of all of them', async () => {
    await pair.target.query('ALTER TABLE app.items ADD CONSTRAINT no_13 CHECK (v <> 13)');
    await pair.source.query(
      `BEGIN; UPDATE app.items SET body = 'y'; INSERT INTO app.items VALUES ('t07', 100, 13, 'bad'); UPDATE app.items SET body = 'z' WHERE id = 2; COMMIT`,
    );
    await everybody(101);
    const streamed = await engine.catchUp();
    expect(streamed.errored).toEqual([linkOf('t07')]);
    expect(await differing(pair, TENANTS)).toEqual(['t07']);
    const own = linkSlotName(linkOf('t07'));
    expect(await apart(pair)).toEqual([
      { tenant: 't07', state: 'errored', slot: own, why: expect.stringMatching(/^XC-5204 .*no_13/) },
    ]);
    expect(await slotsOf(pair)).toEqual([own, main].toSorted());
    // Nothing of it is there: its transaction is whole or not at all.
    expect(await pair.target.query(`SELECT FROM app.items WHERE tenant = 't07' AND body <> 'x'`)).toEqual([]);
    expect(await engine.engine.erroredLinks()).toEqual([
      {
        link: linkOf('t07'),
        code: 'XC-5204',
        message: expect.not.stringContaining('bad'),
        next: expect.any(String),
      },
    ]);
  });

  test('is tried again from where it stands, and stays held at nobody else’s price', async () => {
    const own = linkSlotName(linkOf('t07'));
    const position = await pair.target.query('SELECT position FROM xcrepl.checkpoints WHERE slot = $1', [
      own,
    ]);
    await everybody(102);
    expect((await streamSlot(engine, own)).errored).toEqual([linkOf('t07')]);
    expect(await mergeSlot(engine, own, [linkOf('t07')])).toBe(0);
    expect(await pair.target.query('SELECT position FROM xcrepl.checkpoints WHERE slot = $1', [own])).toEqual(
      position,
    );
    expect((await engine.catchUp()).errored).toEqual([]);
    expect(await differing(pair, TENANTS)).toEqual(['t07']);
  });

  test('catches up and is merged once it passes, with what came meanwhile', async () => {
    await pair.target.query('ALTER TABLE app.items DROP CONSTRAINT no_13');
    await everybody(103);
    await engine.catchUp();
    await everybody(104);
    expect((await streamSlot(engine, linkSlotName(linkOf('t07')))).errored).toEqual([]);
    await everybody(105);
    await mergeAll(...TENANTS);
    await everybody(106);
    await engine.catchUp();
    expect(await differing(pair, TENANTS)).toEqual([]);
    expect(await engine.engine.erroredLinks()).toEqual([]);
  });
});

test('links that fail alike share a slot, and part when one of them passes', async () => {
  await pair.target.query(`ALTER TABLE app.items ADD CONSTRAINT two CHECK (v <> 14)`);
  await pair.source.query(`INSERT INTO app.items VALUES ('t03', 200, 14), ('t05', 200, 14)`);
  await everybody(201);
  expect((await engine.catchUp()).errored).toEqual([linkOf('t03'), linkOf('t05')]);
  expect(await differing(pair, TENANTS)).toEqual(['t03', 't05']);
  const shared = linkSlotName(linkOf('t03'));
  expect(await slotsOf(pair)).toEqual([main, shared].toSorted());
  await pair.target.query(`ALTER TABLE app.items DROP CONSTRAINT two;
    ALTER TABLE app.items ADD CONSTRAINT one CHECK (v <> 14 OR tenant <> 't03')`);
  expect((await streamSlot(engine, shared)).errored).toEqual([linkOf('t03')]);
  expect(await apart(pair)).toMatchObject([
    { tenant: 't03', state: 'errored', slot: `${shared}_2` },
    { tenant: 't05', state: 'streaming', slot: shared },
  ]);
  expect(await mergeSlot(engine, shared, [linkOf('t05')])).toBe(1);
  await everybody(202);
  await engine.catchUp();
  expect(await differing(pair, TENANTS)).toEqual(['t03']);
  await pair.target.query('ALTER TABLE app.items DROP CONSTRAINT one');
  expect((await streamSlot(engine, `${shared}_2`)).errored).toEqual([]);
  await mergeAll(...TENANTS);
});

test('what is judged only at the commit names its link, too', async () => {
  await pair.target.query(`
    CREATE FUNCTION app.refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$BEGIN IF NEW.v = 7 THEN RAISE 'seven of %', NEW.body; END IF; RETURN NULL; END$$;
    CREATE CONSTRAINT TRIGGER late AFTER INSERT ON app.items DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION app.refuse();
    ALTER TABLE app.items ENABLE ALWAYS TRIGGER late`);
  await pair.source.query(
    `INSERT INTO app.items VALUES ('t11', 301, 7, 'secret'); UPDATE app.items SET body = 'w' WHERE id = 1`,
  );
  expect((await engine.catchUp()).errored).toEqual([linkOf('t11')]);
  expect(await differing(pair, TENANTS)).toEqual(['t11']);
  const [held] = await apart(pair);
  expect(held).toMatchObject({ tenant: 't11', state: 'errored', why: expect.stringContaining('P0001') });
  expect(held!.why).not.toContain('secret');
  await pair.target.query('DROP TRIGGER late ON app.items');
  await streamSlot(engine, linkSlotName(linkOf('t11')));
  await mergeAll(...TENANTS);
});

test('what all links of the stream fail for alike stops the stream, and splits nothing', async () => {
  await pair.target.query('ALTER TABLE app.items ADD CONSTRAINT everybody CHECK (v <> 15)');
  await pair.source.query(`INSERT INTO app.items SELECT DISTINCT tenant, 400, 15 FROM app.items`);
  await expect(engine.catchUp()).rejects.toMatchObject({ code: 'XC-5204' });
  expect(await apart(pair)).toEqual([]);
  expect(await slotsOf(pair)).toEqual([main]);
  await pair.target.query('ALTER TABLE app.items DROP CONSTRAINT everybody');
  await engine.catchUp();
  expect(await differing(pair, TENANTS)).toEqual([]);
});

test('without a free slot the stream stands where it was, and says so', async () => {
  await pair.target.query('ALTER TABLE app.items ADD CONSTRAINT full_house CHECK (v <> 16)');
  await pair.source.query(`INSERT INTO app.items VALUES ('t02', 500, 16)`);
  const taken = await pair.source.query<{ n: number }>(
    `SELECT current_setting('max_replication_slots')::int - (SELECT count(*)::int FROM pg_replication_slots) AS n`,
  );
  const names = Array.from({ length: taken[0]!.n }, (_, at) => `filler_${at}`);
  for (const name of names) await pair.source.query(`SELECT pg_create_physical_replication_slot($1)`, [name]);
  try {
    await expect(engine.catchUp()).rejects.toMatchObject({ code: 'XC-5240' });
  } finally {
    for (const name of names) await pair.source.query('SELECT pg_drop_replication_slot($1)', [name]);
  }
  expect(await slotsOf(pair)).toEqual([main]);
  expect((await engine.catchUp()).errored).toEqual([linkOf('t02')]);
  await pair.target.query('ALTER TABLE app.items DROP CONSTRAINT full_house');
  await streamSlot(engine, linkSlotName(linkOf('t02')));
  await mergeAll(...TENANTS);
});
