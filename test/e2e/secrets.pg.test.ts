/** Planted secrets and personal data are in no output, file, table or server log, whatever is run and however it ends. */

import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REDACTED_TENANT } from '../../fixtures/shop/config.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import type { TestDatabase } from '../harness/test-database.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { filesBelow } from './files-below.ts';

/** Every character that a URI, JSON, YAML or a shell treats in its own way. */
const PASSWORD = 'pl4nted: "s3cret"/p@ss?#%20\\ü';
const WRONG = 'wr0ng: "s3cret"/p@ss?#%20\\ü';
const HASH_KEY = 'h4sh-k3y-that-nobody-may-see-0123456789';
/** Personal data of the tenant whose columns are hashed, masked or dropped. */
const CANARY = 'c4n4ry-of-globex';
/** A value of a row of the other tenant: it is replicated, and still belongs in no message. */
const ROW_VALUE = 'r0w-v4lue-of-acme';

const formsOf = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  JSON.stringify(secret).slice(1, -1),
  Buffer.from(secret).toString('base64'),
  Buffer.from(secret).toString('hex'),
];
const SECRETS = [PASSWORD, WRONG, HASH_KEY, CANARY, ROW_VALUE].flatMap(formsOf);

let pair: Pair;
let role: string;
/** Every output, by what was run. */
const said: [what: string, text: string][] = [];

beforeAll(async () => {
  pair = await makePair({ tenants: [REDACTED_TENANT, 'acme'], scale: 0.02, private: true });
  await writeFile(join(pair.directory, 'secrets', 'k1.key'), `${HASH_KEY}\n`);
  role = 'planted';
  for (const side of [pair.source, pair.target]) {
    await side.query(`CREATE ROLE ${role} SUPERUSER LOGIN PASSWORD '${PASSWORD.replaceAll("'", "''")}'`);
    // The server tells everything that the program sends, parameters included.
    for (const setting of [
      `log_statement = 'all'`,
      'log_min_duration_statement = 0',
      'log_parameter_max_length = -1',
      'log_parameter_max_length_on_error = -1',
      `log_min_error_statement = 'info'`,
      'log_replication_commands = on',
    ])
      await side.query(`ALTER ROLE ${role} SET ${setting}`);
  }
  await pair.source.query(`
    UPDATE shop.customers SET email = id || '${CANARY}', full_name = '${CANARY}', note = '${CANARY}', phone = '${CANARY}'
     WHERE tenant_id = '${REDACTED_TENANT}';
    UPDATE shop.customers SET email = id || '${ROW_VALUE}', note = '${ROW_VALUE}' WHERE tenant_id = 'acme'`);
  await usePassword(PASSWORD);
});
afterAll(() => pair[Symbol.asyncDispose]());

const usePassword = async (password: string): Promise<void> => {
  for (const side of ['source', 'target'] as const) {
    const { port, database } = pair[side];
    await pair.useDsn(
      side,
      `postgres://${role}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`,
    );
  }
};

const FORMS = ['table', 'json', 'yaml', 'ndjson'] as const;
let turn = 0;

/** In each form of output by turns; verbose always. */
const xcrepl = async (
  args: readonly string[],
  form = FORMS[turn++ % FORMS.length]!,
  more: Readonly<Record<string, string>> = {},
) => {
  // What is remembered between runs is a file like any other.
  const env = { XDG_CACHE_HOME: join(pair.directory, 'cache'), ...more };
  const result = await pair.xcrepl([...args, '-v', '-o', form], { env });
  said.push([`${args.join(' ')} -o ${form}`, result.stdout + result.stderr]);
  return result;
};

const LINK = `shop:acme:${SOURCE_REGION}:${TARGET_REGION}`;
const EVERYTHING: readonly (readonly string[])[] = [
  ['config', 'show'],
  ['config', 'show', '--origin'],
  ['config', 'validate', '--secrets'],
  ['precheck'],
  ['replication', 'simulate'],
  ['replication', 'simulate', '--out', 'plan.json'],
  ['replication', 'run', '--metrics-textfile', 'metrics.prom'],
  ['replication', 'status'],
];

const expectExit = async (exit: number, args: readonly string[]): Promise<void> => {
  const { exitCode, stderr } = await xcrepl(args);
  expect(exitCode, `${args.join(' ')}\n${stderr}`).toBe(exit);
};

test('while all goes well', async () => {
  await expectExit(0, ['init', '--region', TARGET_REGION]);
  await expectExit(0, ['init', '--region', SOURCE_REGION, '--dry-run']);
  for (const args of EVERYTHING) await expectExit(0, args);
  await pair.source.query(`UPDATE shop.customers SET tags = '{again}'`);
  await expectExit(0, ['replication', 'run', '--plan', 'plan.json']);
  // Large values that did not change are not sent again.
  await pair.source.query(`UPDATE shop.documents SET title = title || '!'`);
  await expectExit(0, [
    'replication',
    'run',
    '--follow',
    '--max-duration',
    '8s',
    '--metrics-addr',
    '127.0.0.1:0',
  ]);
});

test('while it does not', async () => {
  await usePassword(WRONG);
  for (const args of EVERYTHING) if (args[0] !== 'config') await expectFailure(args);
  await expectFailure(['init', '--region', TARGET_REGION]);
  await expectFailure(['uninstall', '--region', TARGET_REGION, '--confirm', TARGET_REGION]);
  await expectFailure(['replication', 'drop', '--link', LINK, '--confirm', TARGET_REGION]);
  for (const dsn of [
    `postgres://${role}:${PASSWORD}@127.0.0.1/app`,
    `postgres://${role}:${encodeURIComponent(PASSWORD)}@127.0.0.1:port/app`,
    `postgres://${role}:${encodeURIComponent(PASSWORD)}@127.0.0.1:1/app?password=${encodeURIComponent(WRONG)}`,
    `postgres://${role}:${encodeURIComponent(PASSWORD)}@nowhere.invalid/app`,
    `postgres://${role}:${encodeURIComponent(PASSWORD)}@127.0.0.1:1/app?options=-c%20x%3D${encodeURIComponent(WRONG)}`,
  ]) {
    await pair.useDsn('target', dsn);
    for (const form of FORMS) await xcrepl(['replication', 'run'], form);
    await xcrepl(['replication', 'status']);
    await xcrepl(['precheck', '--dry-run', '--timeout', '3s']);
  }
  await usePassword(PASSWORD);
});

const expectFailure = async (args: readonly string[]): Promise<void> => {
  const { exitCode, stdout } = await xcrepl(args);
  expect(exitCode, `${args.join(' ')}\n${stdout}`).not.toBe(0);
};

test('while the target refuses a row, whose values its server tells', async () => {
  await pair.target.query(`ALTER TABLE shop.customers ADD CONSTRAINT refuses CHECK (tags <> '{refused}')`);
  await pair.source.query(`UPDATE shop.customers SET tags = '{refused}'`);
  for (const form of FORMS) {
    const refused = await xcrepl(['replication', 'run'], form);
    expect(refused.exitCode, refused.stderr).toBe(6);
    expect(refused.stdout + refused.stderr).toContain('XC-5204');
  }
  await pair.target.query('ALTER TABLE shop.customers DROP CONSTRAINT refuses');
  await expectExit(0, ['replication', 'run']);
});

test('while the environment alone describes the regions', async () => {
  const dsn = (side: 'source' | 'target'): string =>
    `postgres://${role}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${pair[side].port}/${pair[side].database}`;
  const env = {
    POSTGRES_DSN_PRIMARY: dsn('source'),
    POSTGRES_DSN_SECONDARY: dsn('target'),
    XCREPL_CONFIG: '',
  };
  const file = await readFile(pair.configPath, 'utf8');
  await rm(pair.configPath);
  for (const args of [
    ['config', 'show', '--origin'],
    ['config', 'validate', '--secrets'],
    ['precheck'],
    ['replication', 'status'],
  ])
    for (const form of ['table', 'json'] as const) await xcrepl(args, form, env);
  await writeFile(pair.configPath, file);
});

test('while rows differ, and while a run is killed', async () => {
  await pair.target.query(`UPDATE shop.customers SET note = 'other' WHERE tenant_id = 'acme'`);
  await pair.source.query(`UPDATE shop.customers SET phone = '1' WHERE id = 1`);
  await xcrepl(['replication', 'run'], 'json');
  await xcrepl(['replication', 'status', '--fail-on', 'findings']);
  const following = pair.spawnXcrepl(['replication', 'run', '--follow', '-v', '-o', 'json'], {
    env: { XDG_CACHE_HOME: join(pair.directory, 'cache') },
  });
  await sleep(1_500);
  following.kill('SIGTERM');
  const ended = await following;
  said.push(['a run that was terminated', ended.stdout + ended.stderr]);
  for (const verb of ['stop', 'drop'])
    await xcrepl(['replication', verb, '--link', LINK, '--confirm', TARGET_REGION]);
  await xcrepl(['uninstall', '--region', SOURCE_REGION, '--confirm', SOURCE_REGION]);
});

test('nothing of it was said, written, stored or logged', async () => {
  for (const [what, text] of said)
    for (const secret of SECRETS) expect(text.includes(secret), `${what}: ${secret}`).toBe(false);
  expect(said.length).toBeGreaterThan(40);
  for (const [name, text] of Object.entries(await filesBelow(pair.directory)))
    if (!name.startsWith('secrets/'))
      for (const secret of SECRETS) expect(text.includes(secret), `${name}: ${secret}`).toBe(false);
  for (const secret of [PASSWORD, WRONG, HASH_KEY, CANARY].flatMap(formsOf)) {
    expect(await tablesHolding(pair.target, secret), secret).toEqual([]);
    if (secret !== CANARY) expect(await tablesHolding(pair.source, secret), secret).toEqual([]);
  }
});

test('nor do the servers’ logs tell keys or personal data, with every statement and parameter in them', async () => {
  for (const side of ['source', 'target'] as const) {
    const log = (await pair.control[side].log())
      .split('\n')
      // What this test itself does: its application name stands in the prefix.
      .filter((line) => !line.includes(' xcrepl-test '))
      .join('\n');
    expect(log).toContain('statement: ');
    expect(log, 'parameters are logged').toMatch(/parameters: \$1 = |Parameters: /i);
    for (const secret of [PASSWORD, WRONG, HASH_KEY, CANARY].flatMap(formsOf))
      expect(log.includes(secret), `${side}: ${lineWith(log, secret)}`).toBe(false);
  }
});

const lineWith = (log: string, text: string): string =>
  log.split('\n').find((line) => line.includes(text)) ?? text;

const tablesHolding = async (db: TestDatabase, text: string): Promise<string[]> => {
  const tables = await db.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const parts = tables.map(
    ({ name }) =>
      `SELECT '${name}' AS name WHERE EXISTS (SELECT FROM ${name} AS t WHERE strpos(t::text, $1) > 0)`,
  );
  if (parts.length === 0) return [];
  return (await db.query<{ name: string }>(parts.join(' UNION ALL '), [text])).map(({ name }) => name);
};
