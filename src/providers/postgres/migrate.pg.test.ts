import { afterEach, describe, expect, it, vi } from 'vitest';
import { makePair, type Pair } from '../../../test/harness/pair.ts';
import type { TestDatabase } from '../../../test/harness/test-database.ts';
import { migrate, pendingMigrations } from './migrate.ts';
import { readMigrations, type Migration } from './migrations.ts';
import { readTargetState } from './target-state.ts';
import { systemClock } from '../system/clock.ts';
import { isInstalled, readInstalled, uninstall } from './uninstall.ts';

// The first pair of a worker starts its servers.
vi.setConfig({ testTimeout: 120_000 });

const NO_WAIT = { waitMs: 0, clock: systemClock, signal: new AbortController().signal };

let pair: Pair | undefined;
const database = async (): Promise<TestDatabase> => {
  pair = await makePair({ fixture: 'empty' });
  return pair.target;
};
afterEach(async () => {
  await pair?.[Symbol.asyncDispose]();
  pair = undefined;
});

const extra = (migrations: readonly Migration[], sql: string): Migration => ({
  version: (migrations.at(-1)?.version ?? 0) + 1,
  name: 'more',
  sql,
  checksum: `sha256:${sql}`,
});

const objects = (target: TestDatabase) =>
  target.query(
    `SELECT 'class ' || oid::regclass::text AS object FROM pg_class WHERE relnamespace = to_regnamespace('xcrepl')
     UNION ALL SELECT 'proc ' || oid::regprocedure::text FROM pg_proc WHERE pronamespace = to_regnamespace('xcrepl')
     UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname = 'xcrepl' ORDER BY 1`,
  );

describe('migrate', () => {
  it('initialises a database, and a second time changes nothing', async () => {
    const target = await database();
    const migrations = await readMigrations();
    await using client = await target.connect();
    expect(await pendingMigrations(client, migrations, 'eu')).toEqual(migrations.map(({ name }) => name));
    expect((await readTargetState(client, 'eu')).schemaVersion).toBeNull();
    expect(await migrate(client, migrations, 'eu')).toEqual({
      applied: migrations.map(({ name }) => name),
      version: migrations.length,
    });
    const before = await objects(target);
    expect(await migrate(client, migrations, 'eu')).toEqual({ applied: [], version: migrations.length });
    expect(await objects(target)).toEqual(before);
    expect(await readTargetState(client, 'eu')).toMatchObject({
      schemaVersion: migrations.length,
      epoch: 1,
      links: [],
    });
  });

  it('does it once when two start at the same time', async () => {
    const target = await database();
    const migrations = await readMigrations();
    await using one = await target.connect();
    await using two = await target.connect();
    const both = await Promise.all([migrate(one, migrations, 'eu'), migrate(two, migrations, 'eu')]);
    expect(both.map(({ applied }) => applied.length).toSorted((a, b) => a - b)).toEqual([
      0,
      migrations.length,
    ]);
  });

  it('leaves nothing half-done when a migration fails', async () => {
    const target = await database();
    const migrations = await readMigrations();
    await using client = await target.connect();
    await migrate(client, migrations, 'eu');
    const before = await objects(target);
    const bad = [...migrations, extra(migrations, 'CREATE TABLE xcrepl.half (a int); SELECT 1/0')];
    await expect(migrate(client, bad, 'eu')).rejects.toMatchObject({ name: 'XcError' });
    expect(await objects(target)).toEqual(before);
    const good = [...migrations, extra(migrations, 'CREATE TABLE xcrepl.whole (a int)')];
    expect((await migrate(client, good, 'eu')).applied).toEqual(['more']);
  });

  it('refuses a database of a newer version, and one whose migration reads otherwise', async () => {
    const target = await database();
    const migrations = await readMigrations();
    await using client = await target.connect();
    await migrate(client, [...migrations, extra(migrations, 'SELECT 1')], 'eu');
    await expect(migrate(client, migrations, 'eu')).rejects.toMatchObject({ code: 'XC-3010' });
    const changed = migrations.map((each) => ({ ...each, checksum: 'sha256:0' }));
    await expect(migrate(client, [...changed, extra(migrations, 'SELECT 1')], 'eu')).rejects.toMatchObject({
      code: 'XC-3011',
    });
  });

  it('says what right is missing', async () => {
    const target = await database();
    const role = `nobody_${target.database}`.slice(0, 60);
    await target.query(`CREATE ROLE "${role}"`);
    try {
      await using client = await target.connect();
      await client.query(`SET ROLE "${role}"`);
      await expect(migrate(client, await readMigrations(), 'eu')).rejects.toMatchObject({ code: 'XC-4002' });
    } finally {
      await target.query(`DROP ROLE "${role}"`);
    }
  });
});

describe('uninstall', () => {
  it('removes every object of ours and nothing else, forward, back and forward again', async () => {
    const target = await database();
    const migrations = await readMigrations();
    await using client = await target.connect();
    await client.query('CREATE TABLE public.kept (id int PRIMARY KEY)');
    await client.query('CREATE PUBLICATION kept FOR TABLE public.kept');
    for (let round = 0; round < 2; round += 1) {
      await migrate(client, migrations, 'eu');
      await client.query('CREATE PUBLICATION xcrepl_s_0123456789 FOR TABLE public.kept');
      await client.query(
        `SELECT pg_create_logical_replication_slot('xcrepl_s_' || substr(md5(current_database()), 1, 10), 'pgoutput')`,
      );
      const found = await readInstalled(client, 'eu');
      expect(isInstalled(found)).toBe(true);
      expect(await uninstall(client, found, 'eu', NO_WAIT)).toEqual([
        `slot ${found.slots[0]?.name}`,
        'publication xcrepl_s_0123456789',
        'schema xcrepl',
      ]);
      const after = await readInstalled(client, 'eu');
      expect(after).toEqual({
        slots: [],
        publications: [],
        origins: [],
        streams: [],
        schema: false,
        since: null,
        feeding: [],
      });
      expect(isInstalled(after)).toBe(false);
    }
    expect(await objects(target)).toEqual([]);
    expect(await target.query('SELECT pubname FROM pg_publication')).toEqual([{ pubname: 'kept' }]);
  });

  it('removes the origins of its own streams only', async () => {
    const target = await database();
    await using client = await target.connect();
    await migrate(client, await readMigrations(), 'eu');
    const own = (
      await target.query<{ key: string }>('SELECT substr(md5(current_database()), 1, 10) AS key')
    )[0]!.key;
    const other = own.split('').toReversed().join('');
    await client.query(
      `INSERT INTO xcrepl.streams (stream, control_plane, source_region, source_database, target_region, target_database,
                                   source_system, source_timeline) VALUES ($1, 'c', 'us', 'a', 'eu', 'b', '1', 1)`,
      [own],
    );
    for (const key of [own, other])
      await client.query('SELECT pg_replication_origin_create($1)', [`xcrepl_s_${key}`]);
    try {
      const removed = await uninstall(client, await readInstalled(client, 'eu'), 'eu', NO_WAIT);
      expect(removed).toEqual([`origin xcrepl_s_${own}`, 'schema xcrepl']);
    } finally {
      await client.query('SELECT pg_replication_origin_drop($1)', [`xcrepl_s_${other}`]);
    }
  });
});
