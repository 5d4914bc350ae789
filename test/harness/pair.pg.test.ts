import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { configSchema } from '../../src/core/config/schema.ts';
import { sharedServers } from '../servers/server-pair.ts';
import { makePair, withPair } from './pair.ts';
import { tableDigest } from './table-digest.ts';
import { startTcpProxy } from './tcp-proxy.ts';
import { openDatabase } from './test-database.ts';

const EMPTY = { fixture: 'empty', sql: 'CREATE TABLE t (id int PRIMARY KEY, v text)' } as const;

describe('a pair', () => {
  test('is two databases on two servers, apart from those of every other pair', async () => {
    await using one = await makePair(EMPTY);
    await using two = await makePair(EMPTY);
    const all = [one.source, one.target, two.source, two.target];
    for (const [index, db] of all.entries()) await db.query('INSERT INTO t VALUES (1, $1)', [String(index)]);
    const values = await Promise.all(all.map((db) => db.query('SELECT v FROM t')));
    expect(values).toEqual(['0', '1', '2', '3'].map((v) => [{ v }]));
    expect(one.source.port).not.toBe(one.target.port);
    const systems = await Promise.all(
      [one.source, one.target].map((db) => db.query('SELECT system_identifier FROM pg_control_system()')),
    );
    expect(systems[0]).not.toEqual(systems[1]);
  });

  test('has a configuration of its own, whose secrets are files that only the owner reads', async () => {
    await using pair = await makePair({ tenants: ['acme', 'globex'] });
    const read = async () => configSchema.parse(parse(await readFile(pair.configPath, 'utf8')));
    const config = await read();
    expect(Object.keys(config.tenants)).toEqual(['acme', 'globex']);
    expect(config.tenants['globex']?.columns?.['shop.customers']?.['email']).toMatchObject({
      action: 'hash',
    });
    const reference = config.regions['us-east-1']?.postgres?.dsn ?? '';
    const file = reference.replace(/^file:/, '');
    expect((await readFile(file, 'utf8')).trim()).toBe(pair.source.dsn);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await pair.configure((before) => ({ ...before, controlPlane: 'changed' }));
    expect((await read()).controlPlane).toBe('changed');
    expect(pair.config.controlPlane).toBe('changed');
  });

  test('leaves no database, slot, origin or file on its servers', async () => {
    const servers = await sharedServers(18);
    const gone = await withPair(EMPTY, async (pair) => {
      await pair.source.query(`SELECT pg_create_logical_replication_slot('left_behind', 'pgoutput')`);
      await pair.target.query(`SELECT pg_replication_origin_create('xcrepl_s_left_behind')`);
      return { database: pair.source.database, directory: pair.directory };
    });
    const source = openDatabase('us-east-1', servers.source.dsn);
    const target = openDatabase('eu-central-1', servers.target.dsn);
    try {
      const left = await source.query(
        `SELECT slot_name AS name FROM pg_replication_slots UNION ALL SELECT datname FROM pg_database WHERE datname = $1`,
        [gone.database],
      );
      expect(left).toEqual([]);
      expect(await target.query('SELECT roname FROM pg_replication_origin')).toEqual([]);
    } finally {
      await Promise.all([source.close(), target.close()]);
    }
    await expect(stat(gone.directory)).rejects.toThrow('ENOENT');
  });

  test('made private, survives the crash of a server', async () => {
    await using pair = await makePair({ ...EMPTY, private: true });
    await pair.target.query(`INSERT INTO t VALUES (1, 'kept')`);
    await pair.control.target.kill();
    await expect(pair.target.query('SELECT 1')).rejects.toThrow(/ECONN|terminat/);
    expect(await pair.source.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await pair.control.target.start();
    expect(await pair.target.query('SELECT v FROM t')).toEqual([{ v: 'kept' }]);
  });

  test('shares its servers, and therefore does not kill them', async () => {
    await using pair = await makePair(EMPTY);
    await expect(pair.control.source.kill()).rejects.toThrow('private');
  });

  test('is reached through a proxy where a test says so', async () => {
    await using pair = await makePair(EMPTY);
    await using proxy = await startTcpProxy({ port: pair.source.port });
    await pair.useDsn('source', proxy.dsn(pair.source.dsn));
    const dsn = await readFile(join(pair.directory, 'secrets', 'us-east-1.dsn'), 'utf8');
    const through = openDatabase('us-east-1', dsn.trim());
    expect(await through.query('SELECT current_database() AS name')).toEqual([
      { name: pair.source.database },
    ]);
    expect(proxy.connections).toBe(1);
    await through.close();
  });

  test('runs the built program in its directory', async () => {
    await using pair = await makePair(EMPTY);
    const version = await pair.xcrepl(['--version']);
    expect(version).toMatchObject({
      exitCode: 0,
      stderr: '',
      stdout: expect.stringMatching(/^\S*\d+\.\d+\.\d+/),
    });
    const shown = await pair.xcrepl(['config', 'show', '-o', 'json']);
    expect({ exitCode: shown.exitCode, stderr: shown.stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(JSON.stringify(shown.json())).toContain('eu-central-1');
  });
});

describe('tableDigest', () => {
  test('is the same for the same rows in any order, and another for any other', async () => {
    await using pair = await makePair(EMPTY);
    const { source, target } = pair;
    await source.query(`INSERT INTO t VALUES (1, 'a'), (2, NULL), (3, '')`);
    await target.query(`INSERT INTO t VALUES (3, ''), (1, 'a'), (2, NULL)`);
    const whole = await tableDigest(source, 't');
    expect(whole.rows).toBe(3);
    expect(await tableDigest(target, 't')).toEqual(whole);
    await target.query(`UPDATE t SET v = '' WHERE id = 2`);
    expect((await tableDigest(target, 't')).md5).not.toBe(whole.md5);
    expect(await tableDigest(target, 't', 'id = 1')).toEqual(await tableDigest(source, 't', 'id = 1'));
    expect(await tableDigest(target, 't', 'true', ['id'])).toEqual(
      await tableDigest(source, 't', 'true', ['id']),
    );
  });

  test('counts equal rows each', async () => {
    await using pair = await makePair({ fixture: 'empty', sql: 'CREATE TABLE u (v text)' });
    await pair.source.query(`INSERT INTO u VALUES ('x'), ('x')`);
    await pair.target.query(`INSERT INTO u VALUES ('x')`);
    expect((await tableDigest(pair.source, 'u')).md5).not.toBe((await tableDigest(pair.target, 'u')).md5);
  });
});
