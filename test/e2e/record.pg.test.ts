/**
 * Recording one link: what is in the log and what never is, that a killed recording goes on without losing or doubling
 * a transaction, and what stops it.
 */

import { appendFile, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REDACTED_TENANT } from '../../fixtures/shop/config.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { expectRefusal } from './refusal.ts';
import { until } from './until.ts';

const CANARY = 'c4n4ry';
const LINK = `shop:${REDACTED_TENANT}:${SOURCE_REGION}:${TARGET_REGION}`;
const OF = `tenant_id = '${REDACTED_TENANT}'`;

let pair: Pair;
beforeAll(async () => {
  pair = await makePair({ tenants: [REDACTED_TENANT, 'acme'], scale: 0.03 });
});
afterAll(() => pair[Symbol.asyncDispose]());

interface Line {
  readonly t: string;
  readonly [field: string]: unknown;
}

const logFiles = async (name: string): Promise<string[]> =>
  (await readdir(pair.directory)).filter((file) => file.startsWith(name)).toSorted();

const linesOf = async (name: string): Promise<Line[]> => {
  const texts = await Promise.all(
    (await logFiles(name)).map((file) => readFile(join(pair.directory, file), 'utf8')),
  );
  // What has no newline yet is not written yet.
  return texts.flatMap((text) =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line),
  );
};

const record = (...more: readonly string[]) =>
  pair.xcrepl(['replication', 'record', '--link', LINK, '--to', 'g.log', '-o', 'json', ...more]);

const plant = (mark: string): Promise<unknown> =>
  pair.source.query(
    `UPDATE shop.customers SET note = '${CANARY} ${mark}', email = id || '${CANARY}@${mark}.example',
            phone = '${CANARY}' WHERE ${OF}`,
  );

test('the log holds rows and changes of the link as its policy leaves them, and nothing else', async () => {
  await plant('copied');
  const dry = await record('--dry-run');
  expect(JSON.parse(dry.stdout)).toMatchObject({ dryRun: true, would: 'begin' });
  expect(await logFiles('g.log')).toEqual([]);
  expect(await pair.source.query('SELECT FROM pg_replication_slots')).toEqual([]);

  const begun = await record();
  expect(begun.exitCode, begun.stderr).toBe(0);
  const [{ rows }] = (await pair.source.query<{ rows: number }>(
    `SELECT count(*)::int AS rows FROM shop.customers WHERE ${OF}`,
  )) as [{ rows: number }];
  await plant('streamed');
  await pair.source.query(`UPDATE shop.customers SET note = 'of another' WHERE tenant_id = 'acme'`);
  await pair.source.query(
    `SELECT pg_logical_emit_message(true, 'app', '${CANARY}'), pg_logical_emit_message(false, 'app', '${CANARY}')`,
  );
  const gone = await record();
  expect(gone.exitCode, gone.stderr).toBe(0);
  expect(JSON.parse(gone.stdout)).toMatchObject({ begun: false, changes: rows });
  expect(JSON.parse((await record()).stdout)).toMatchObject({ changed: false, changes: 0 });

  expect((await stat(join(pair.directory, 'g.log'))).mode & 0o777).toBe(0o600);
  const text = await readFile(join(pair.directory, 'g.log'), 'utf8');
  expect(text).not.toContain(CANARY);
  expect(text).not.toContain('of another');
  const lines = await linesOf('g.log');
  expect(lines[0]).toMatchObject({ t: 'header', link: { id: LINK }, copy: true, position: '0/0' });
  const customers = lines.find((line) => line.t === 'table' && line['name'] === 'shop.customers')!;
  expect(customers['columns']).not.toContain('note');
  expect(customers['redacted']).toMatchObject({ email: 'hash', phone: 'mask' });
  const of = (kind: string): Line[] =>
    lines.filter((line) => line.t === kind && line['table'] === customers['table']);
  expect([of('insert').length, of('update').length, of('table').length]).toEqual([rows, rows, 1]);
});

test('kill -9 at any moment: every transaction is in the log once, in its order', async () => {
  const commits = async (): Promise<number> =>
    (await linesOf('g.log')).filter(({ t }) => t === 'commit').length;
  const before = await commits();
  let written = 0;
  const write = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time++)
      await pair.source.query(
        `INSERT INTO shop.suppliers (tenant_id, name) SELECT $1, 'w' || $2 || repeat('.', 3000) FROM generate_series(1, 3)`,
        [REDACTED_TENANT, ++written],
      );
  };
  for (let round = 0; round < 3; round++) {
    const how = ['--link', LINK, '--to', 'g.log', '--follow', '--rotate-bytes', '64KiB'];
    const recording = pair.spawnXcrepl(['replication', 'record', ...how]);
    const seen = await commits();
    await write(6);
    await until('transactions of this round', async () => (await commits()) > seen);
    const writing = write(4);
    recording.kill('SIGKILL');
    await recording.catch(() => undefined);
    await writing;
    // What a kill in the middle of a write, or a crash of the machine, leaves behind.
    const newest = join(pair.directory, (await logFiles('g.log')).at(-1)!);
    const sealed = (await linesOf('g.log')).at(-1)!.t === 'seal';
    if (!sealed) await appendFile(newest, '{"t":"begin","lsn":"0/1","xi');
  }
  await until('the killed session is gone', async () => {
    const active = await pair.source.query('SELECT FROM pg_replication_slots WHERE active');
    return active.length === 0;
  });
  const last = await record();
  expect(last.exitCode, last.stderr).toBe(0);
  const lines = await linesOf('g.log');
  const suppliers = lines.find((line) => line.t === 'table' && line['name'] === 'shop.suppliers')!;
  const column = (suppliers['columns'] as string[]).indexOf('name');
  const marks = lines
    .filter(({ t, table }) => t === 'insert' && table === suppliers['table'])
    .map((line) => /^w(\d+)\./.exec(String((line['new'] as unknown[])[column]))?.[1])
    .filter((mark) => mark !== undefined);
  const wanted = Array.from({ length: written }, (_, index) => Array(3).fill(String(index + 1))).flat();
  expect(marks).toEqual(wanted);
  expect(await commits()).toBe(before + written);
  expect((await logFiles('g.log')).length).toBeGreaterThan(1);
});

const described = async (): Promise<Line[]> =>
  (await linesOf('g.log')).filter(({ t, name }) => t === 'table' && name === 'shop.suppliers');

test('a table that changes while it is recorded is described anew before its first row of that shape', async () => {
  const recording = pair.spawnXcrepl(['replication', 'record', '--link', LINK, '--to', 'g.log', '--follow']);
  await until('the recording streams', async () => {
    const active = await pair.source.query('SELECT FROM pg_replication_slots WHERE active');
    return active.length === 1;
  });
  // A name that the policy does not know would stop it: P1 holds for logs, too.
  await pair.source.query('ALTER TABLE shop.suppliers ALTER COLUMN name TYPE varchar(9000)');
  await pair.source.query(`INSERT INTO shop.suppliers (tenant_id, name) VALUES ($1, 'reshaped')`, [
    REDACTED_TENANT,
  ]);
  await until('the row', async () =>
    (await linesOf('g.log')).some((line) => JSON.stringify(line).includes('reshaped')),
  );
  recording.kill('SIGINT');
  await recording;
  expect(JSON.stringify((await described()).at(-1)!['facts'])).toContain('character varying(9000)');
});

test('a table that is dropped before its changes were read is told, and everything else is there', async () => {
  const acme = `shop:acme:${SOURCE_REGION}:${TARGET_REGION}`;
  const recorded = async (exit: number) => {
    const result = await pair.xcrepl([
      'replication',
      'record',
      '--link',
      acme,
      '--to',
      'd.log',
      '--no-copy',
      '-o',
      'json',
    ]);
    expect(result.exitCode, result.stderr).toBe(exit);
    return result.json() as object;
  };
  await pair.source.query('CREATE TABLE shop.gone (tenant_id text, id int, PRIMARY KEY (tenant_id, id))');
  await recorded(0);
  await pair.source.query(`INSERT INTO shop.gone VALUES ('acme', 1);
    INSERT INTO shop.suppliers (tenant_id, name) VALUES ('acme', 'beside'); DROP TABLE shop.gone`);
  expect(await recorded(3)).toMatchObject({
    changes: 1,
    findings: [{ subject: 'shop.gone', code: 'XC-5043', verdict: 'fail' }],
  });
  expect(await recorded(0)).toMatchObject({ changes: 0, findings: [] });
  const ended = ['replication', 'record', '--link', acme, '--to', 'd.log', '--stop'];
  expect((await pair.xcrepl([...ended, '--confirm', SOURCE_REGION])).exitCode).toBe(0);
});

test('a recording that could leave a gap, or mix two links, stops with its reason', async () => {
  const other = `shop:acme:${SOURCE_REGION}:${TARGET_REGION}`;
  expectRefusal(
    await pair.xcrepl(['replication', 'record', '--link', other, '--to', 'g.log', '-o', 'json']),
    { code: 'XC-5035', exit: 6, says: [other] },
  );
  const before = await linesOf('g.log');
  const [slot] = await pair.source.query<{ name: string }>(
    'SELECT slot_name AS name FROM pg_replication_slots',
  );
  await pair.source.query(`INSERT INTO shop.suppliers (tenant_id, name) VALUES ($1, 'missed')`, [
    REDACTED_TENANT,
  ]);
  await pair.source.query('SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())', [slot!.name]);
  expectRefusal(await record(), { code: 'XC-5030', exit: 6, says: ['was moved to'] });
  const stopped = await record('--stop', '--confirm', SOURCE_REGION);
  expect(JSON.parse(stopped.stdout)).toMatchObject({ changed: true, closed: true });
  expect(await pair.source.query('SELECT FROM pg_replication_slots')).toEqual([]);
  expect(await pair.source.query('SELECT FROM pg_publication')).toEqual([]);
  expectRefusal(await record(), { code: 'XC-5037', exit: 6, says: [LINK] });
  expect(JSON.parse((await record('--stop', '--confirm', SOURCE_REGION)).stdout)).toMatchObject({
    changed: false,
  });
  const lines = await linesOf('g.log');
  expect(lines.slice(0, before.length)).toEqual(before);
  expect(lines.at(-1)).toMatchObject({ t: 'seal', next: null });
});

test('gates stand before a log as before a stream, and one that follows serves health and metrics', async () => {
  const tenants = pair.config.tenants!;
  const changed = (more: object) =>
    pair.configure((config) => ({
      ...config,
      tenants: { ...tenants, [REDACTED_TENANT]: { ...tenants[REDACTED_TENANT]!, ...more } },
    }));
  const begin = () =>
    pair.xcrepl(['replication', 'record', '--link', LINK, '--to', 'other.log', '-o', 'json']);
  await changed({ residency: { zones: ['us'] } });
  expectRefusal(await begin(), { code: 'XC-2032', exit: 7, says: ['data of'] });
  const columns = tenants[REDACTED_TENANT]!.columns!;
  await changed({
    columns: {
      ...columns,
      'shop.customers': { ...columns['shop.customers'], email: { pii: 'email', action: 'allow' } },
    },
  });
  expectRefusal(await begin(), { code: 'XC-2033', exit: 7, says: ['shop.customers.email'] });
  expect(await logFiles('other.log')).toEqual([]);
  expect(await pair.source.query('SELECT FROM pg_replication_slots')).toEqual([]);

  await changed({});
  const following = pair.spawnXcrepl([
    'replication',
    'record',
    '--link',
    LINK,
    '--to',
    'other.log',
    '--follow',
  ]);
  let said = '';
  following.stderr.on('data', (text: Buffer) => (said += text.toString()));
  await until('changes are recorded', async () => (await logFiles('other.log')).length > 0);
  const url = /health and metrics on (\S+)/.exec(said)![1]!;
  await pair.source.query(`UPDATE shop.customers SET note = 'again' WHERE ${OF}`);
  await until('rows are counted', async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return /xcrepl_replication_rows_total\{.*operation="update"\} [1-9]/.test(text);
  });
  expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ live: true, ready: true });
  following.kill('SIGINT');
  await following;
});
