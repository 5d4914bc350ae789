import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { appendFile, chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Client } from 'pg';
import { parse } from 'yaml';
import { configSchema } from '../../core/config/schema.ts';
import { labDown, labStatus, labUp, type LabSpec, type LabUp } from './lab.ts';
import { dsnOfRegion, restartRegion } from './lab-region.ts';
import type { Lab, LabRegion } from './lab-state.ts';
import { killServer, livingServer } from './server.ts';

let root: string;
const directories: string[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'xcrepl-lab-test-'));
  await chmod(root, 0o755);
});

afterEach(async () => {
  for (const directory of directories.splice(0)) await labDown(directory);
  await rm(root, { recursive: true, force: true });
});

/** One region where two show nothing more: making a server is what takes the time. */
const up = (name: string, spec: Partial<LabSpec> = {}): Promise<LabUp> => {
  const directory = spec.directory ?? join(root, name);
  directories.push(directory);
  return labUp({ directory, durable: false, regions: ['r'], ...spec }, new AbortController().signal);
};

const query = async (region: LabRegion, sql: string): Promise<Record<string, string>> => {
  const client = new Client({ connectionString: await dsnOfRegion(region) });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, string>>(sql);
    return rows[0] ?? {};
  } finally {
    await client.end();
  }
};

const firstOf = (lab: Lab): LabRegion => lab.regions[0]!;
const pidsOf = (lab: Lab): Promise<(number | null)[]> =>
  Promise.all(lab.regions.map(({ dataDirectory }) => livingServer(dataDirectory)));
const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);
const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Whether anything accepts a connection there. */
const accepts = (port: number, host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host, timeout: 2000 });
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });

/** Its passwords are its owner's. */
const expectClosed = async (lab: Lab): Promise<void> => {
  for (const file of [...lab.regions.map(({ dsnFile }) => dsnFile), join(root, 'one', 'secrets', 'k1.key')])
    expect(await modeOf(file)).toBe('600');
  for (const place of [join(root, 'one', 'secrets'), lab.socketDirectory, firstOf(lab).dataDirectory])
    expect(await modeOf(place)).toBe('700');
  const dsn = new URL(await dsnOfRegion(firstOf(lab)));
  expect(await readFile(lab.configPath, 'utf8')).not.toContain(dsn.password);
  const wrong = new URL(dsn);
  wrong.password = 'wrong';
  await expect(new Client({ connectionString: wrong.href }).connect()).rejects.toThrow(
    'password authentication failed',
  );
  const { port } = firstOf(lab);
  expect(await accepts(port, '127.0.0.1')).toBe(true);
  const outside = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal }) => !internal);
  const open = outside.map(({ address, scopeid }) =>
    accepts(port, scopeid ? `${address}%${scopeid}` : address),
  );
  expect(await Promise.all(open)).toEqual(outside.map(() => false));
};

describe('a lab', () => {
  test('comes up ready for logical replication, its doors on loopback, and goes without a trace', async () => {
    const { lab, changed } = await up('one', {
      regions: undefined,
      via: 'tcp',
      config: { hashKeys: ['k1'] },
    });
    expect(changed).toBe(true);
    expect((await labStatus(join(root, 'one'))).state).toBe('up');
    const settings = await query(
      firstOf(lab),
      `SELECT current_setting('wal_level') AS wal_level, current_setting('track_commit_timestamp') AS timestamps,
              current_setting('max_replication_slots') AS slots, current_setting('password_encryption') AS passwords,
              current_setting('server_version_num')::int / 10000 AS major, current_database() AS database`,
    );
    expect(settings).toEqual({
      wal_level: 'logical',
      timestamps: 'on',
      slots: '40',
      passwords: 'scram-sha-256',
      major: 18,
      database: 'app',
    });
    await expectClosed(lab);
    const pids = await pidsOf(lab);
    await labDown(join(root, 'one'));
    for (const pid of pids) expect(() => process.kill(pid!, 0)).toThrow('ESRCH');
    const left = [join(root, 'one'), lab.dataRoot, lab.socketDirectory].map(isThere);
    expect(await Promise.all(left)).toEqual([false, false, false]);
    expect(await labDown(join(root, 'one'))).toBeNull();
  });

  test.runIf(process.getuid?.() === 0)(
    'is run by an unprivileged user that may not be able to enter its directory',
    async () => {
      await chmod(root, 0o700);
      const { lab } = await up('one');
      expect(lab.user).not.toBeNull();
      expect(lab.dataRoot.startsWith(root)).toBe(false);
      for (const region of lab.regions) {
        const pid = await livingServer(region.dataDirectory);
        expect((await stat(`/proc/${pid}`)).uid).toBe(lab.user?.uid);
        expect((await stat(region.dataDirectory)).uid).toBe(lab.user?.uid);
      }
      await labDown(join(root, 'one'));
      expect(await isThere(lab.dataRoot)).toBe(false);
    },
  );

  test('writes a configuration that the program accepts, with references instead of secrets', async () => {
    const { lab } = await up('one', {
      regions: ['ap-south-1', 'b', 'c'],
      configPath: join(root, 'elsewhere', 'x.yaml'),
    });
    expect(lab.configPath).toBe(join(root, 'elsewhere', 'x.yaml'));
    const config = configSchema.parse(parse(await readFile(lab.configPath, 'utf8')));
    expect(config.environment).toBe('lab');
    expect(config.registry).toBe('none');
    expect(
      Object.entries(config.regions).map(([name, { zone, initialRole }]) => [name, zone, initialRole]),
    ).toEqual([
      ['ap-south-1', 'ap', 'primary'],
      ['b', 'b', 'replica'],
      ['c', 'c', 'replica'],
    ]);
    expect(config.regions['b']?.postgres?.dsn).toBe(`file:${lab.regions[1]!.dsnFile}`);
  });

  test('does not write over a configuration that is not its own, and starts nothing then', async () => {
    const configPath = join(root, 'mine.yaml');
    await writeFile(configPath, 'schemaVersion: 1\n');
    await expect(up('one', { configPath })).rejects.toMatchObject({ code: 'XC-1204' });
    expect(await readFile(configPath, 'utf8')).toBe('schemaVersion: 1\n');
    expect(await isThere(join(root, 'one'))).toBe(false);
  });
});

describe('up again', () => {
  test('is no change on a healthy lab, and refuses to take it for another or to guess', async () => {
    const first = await up('one');
    const pids = await pidsOf(first.lab);
    const again = await up('one');
    expect(again).toEqual({ lab: first.lab, changed: false, cleaned: false });
    await expect(up('one', { regions: ['x', 'y'] })).rejects.toMatchObject({ code: 'XC-1202' });
    await expect(up('one', { via: 'tcp' })).rejects.toMatchObject({ code: 'XC-1202' });
    const file = join(root, 'one', 'lab.json');
    const text = await readFile(file, 'utf8');
    await writeFile(file, '{"schemaVersion": 2}');
    await expect(up('one')).rejects.toMatchObject({ code: 'XC-1203' });
    await writeFile(file, text);
    expect(await up('one')).toMatchObject({ changed: false });
    expect(await pidsOf(first.lab)).toEqual(pids);
  });

  test('cleans up after a crash, also the servers that survived it', async () => {
    const { lab: crashed } = await up('one', { regions: ['r', 's'] });
    const [, survivor] = await pidsOf(crashed);
    await killServer(firstOf(crashed));
    expect((await labStatus(join(root, 'one'))).state).toBe('crashed');
    const { lab, changed, cleaned } = await up('one', { regions: ['r', 's'] });
    expect({ changed, cleaned }).toEqual({ changed: true, cleaned: true });
    expect(() => process.kill(survivor!, 0)).toThrow('ESRCH');
    expect(await isThere(crashed.socketDirectory)).toBe(false);
    expect((await labStatus(join(root, 'one'))).state).toBe('up');
    expect(lab.id).not.toBe(crashed.id);
  });

  test('cleans up a lab whose making was cut short', async () => {
    const { lab: half } = await up('one');
    const pids = await pidsOf(half);
    await writeFile(join(root, 'one', 'lab.json'), JSON.stringify({ ...half, phase: 'starting' }));
    await rm(half.configPath);
    expect((await labStatus(join(root, 'one'))).state).toBe('crashed');
    expect(await up('one')).toMatchObject({ changed: true, cleaned: true });
    for (const pid of pids) expect(() => process.kill(pid!, 0)).toThrow('ESRCH');
  });

  test('takes the servers down again when their content cannot be made', async () => {
    let seen: Lab | undefined;
    const prepare = async (lab: Lab): Promise<void> => {
      seen = lab;
      throw new Error('no rows today');
    };
    await expect(up('one', { prepare })).rejects.toThrow('no rows today');
    expect(seen).toBeDefined();
    expect(await pidsOf(seen!)).toEqual([null]);
    expect(await isThere(join(root, 'one'))).toBe(false);
  });
});

describe('several at once', () => {
  test('two labs run side by side', async () => {
    const [one, two] = await Promise.all([up('one'), up('two')]);
    const ports = [...one.lab.regions, ...two.lab.regions].map(({ port }) => port);
    expect(new Set(ports).size).toBe(2);
    await labDown(join(root, 'one'));
    expect((await labStatus(join(root, 'two'))).state).toBe('up');
    expect(await query(firstOf(two.lab), 'SELECT 1 AS one')).toEqual({ one: 1 });
  });

  test('of two that start the same lab, one does and the other says who holds it', async () => {
    const outcomes = await Promise.allSettled([up('one'), up('one')]);
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(failed).toHaveLength(1);
    expect(failed[0]?.reason).toMatchObject({
      code: 'XC-7002',
      why: expect.stringContaining(`pid ${process.pid}`),
    });
    expect((await labStatus(join(root, 'one'))).state).toBe('up');
  });
});

test('a killed server starts again on its own port, with what was committed', async () => {
  const { lab } = await up('one', { durable: true });
  const region = firstOf(lab);
  await query(region, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await killServer(region);
  expect(await livingServer(region.dataDirectory)).toBeNull();
  // What it said before has more bytes than characters.
  await appendFile(region.logFile, 'größer '.repeat(1_000));
  const settings = join(region.dataDirectory, 'postgresql.auto.conf');
  await appendFile(settings, 'no_such_setting = 1\n');
  const restart = () => restartRegion(lab, region, new AbortController().signal);
  await expect(restart()).rejects.toMatchObject({
    code: 'XC-6203',
    why: expect.stringContaining('no_such_setting') as string,
  });
  await writeFile(settings, '');
  await restart();
  expect(await query(region, 'SELECT answer FROM kept')).toEqual({ answer: 42 });
});

test('PostgreSQL 15 comes up the same way', async () => {
  const { lab } = await up('old', { pgMajor: 15 });
  expect(lab.pgVersion).toMatch(/^15\./);
  expect(await query(firstOf(lab), `SELECT current_setting('wal_level') AS level`)).toEqual({
    level: 'logical',
  });
});

test('a version that is nowhere is a typed error with the command that installs it', async () => {
  await expect(up('none', { pgMajor: 42 })).rejects.toMatchObject({ code: 'XC-6201' });
  await expect(up('none', { pgMajor: 17, pgBin: root })).rejects.toMatchObject({ code: 'XC-1201' });
  expect(await isThere(join(root, 'none'))).toBe(false);
});
