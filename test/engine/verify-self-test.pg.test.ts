/** `verify --self-test`: finds what it plants in scratch copies of every kind of table, and leaves nothing behind. */

import { expect, test } from 'vitest';
import type { ConfigInput } from '../../src/core/config/schema.ts';
import { tableDigest } from '../harness/table-digest.ts';
import { TARGET_REGION } from '../servers/server-pair.ts';
import { oneTenant, pairOf } from './empty-pair.ts';
import { openTestEngine } from './test-engine.ts';

const SCHEMA = `
  CREATE DOMAIN app.needed AS text NOT NULL;
  CREATE TYPE app.pair AS (n numeric, s text);
  CREATE TABLE app.keyed (tenant text, id int, first app.needed DEFAULT 'x', v numeric, PRIMARY KEY (tenant, id));
  CREATE TABLE app.keyless (tenant text, v text);
  CREATE TABLE app.only_key (tenant text, id int, PRIMARY KEY (tenant, id));
  CREATE TABLE app.one_row (tenant text PRIMARY KEY, doc jsonb);
  CREATE TABLE app.no_row (tenant text PRIMARY KEY, v text);
  CREATE TABLE app."Odd""name" (tenant text, "a.b" int, "select" app.pair, arr numeric[], PRIMARY KEY (tenant, "a.b"));
  CREATE TABLE app.secret (tenant text, mail text, name text, note text, PRIMARY KEY (tenant, mail));`;

const columns = Object.fromEntries(
  Object.entries({
    keyed: ['tenant', 'id', 'first', 'v'],
    keyless: ['tenant', 'v'],
    only_key: ['tenant', 'id'],
    one_row: ['tenant', 'doc'],
    no_row: ['tenant', 'v'],
    '"Odd""name"': ['tenant', 'a.b', 'select', 'arr'],
  }).map(([name, all]) => [
    `app.${name}`,
    Object.fromEntries(all.map((column) => [column, 'allow' as const])),
  ]),
);

const withSecrets = (config: ConfigInput): ConfigInput => {
  const one = oneTenant(config);
  return {
    ...one,
    hashKeys: { k1: 'env:PII_KEY' },
    tenants: {
      a: {
        ...one.tenants!['a']!,
        columns: {
          ...columns,
          'app.secret': {
            tenant: 'allow',
            mail: { pii: 'email', action: 'hash', key: 'k1' },
            name: { pii: 'name', action: 'mask' },
            note: { pii: 'free-text', action: 'drop' },
          },
        },
      },
    },
  };
};

const never = new AbortController().signal;

test('a changed, a missing and an extra row of every kind of table are found, and no table is touched', async () => {
  await using pair = await pairOf(SCHEMA, withSecrets);
  await pair.source.query(`
    INSERT INTO app.keyed SELECT t, g, 'x', g / 10.0 FROM generate_series(1, 30) g, unnest('{a,b}'::text[]) t;
    INSERT INTO app.keyless SELECT 'a', 'same' FROM generate_series(1, 5);
    INSERT INTO app.only_key SELECT 'a', g FROM generate_series(1, 5) g;
    INSERT INTO app.one_row VALUES ('a', '{"x": 1.50}'), ('b', NULL);
    INSERT INTO app.no_row VALUES ('b', 'another tenant''s');
    INSERT INTO app."Odd""name" SELECT 'a', g, (g, 'é')::app.pair, ARRAY[1.0, g] FROM generate_series(1, 4) g;
    INSERT INTO app.secret SELECT 'a', g || '@example.com', 'name', 'note' FROM generate_series(1, 4) g`);
  await using runner = await openTestEngine(pair);
  await runner.copyAndStream();
  const tables = ['app.keyed', 'app.keyless', 'app.only_key', 'app.one_row', 'app."Odd""name"', 'app.secret'];
  const digests = () => Promise.all(tables.map((table) => tableDigest(pair.target, table)));
  const before = await digests();
  // Beside a run that holds the stream: it takes no lock.
  await using other = await openTestEngine(pair);
  const request = { links: other.stream.links.map(({ id }) => id), wanted: () => true };
  const { tested, findings } = await other.engine.selfTest!(request, never);
  const three = ['changed', 'missing', 'extra'];
  expect(
    Object.fromEntries(
      tested.map(({ table, verdict, rows, planted, found }) => [table, [verdict, rows, planted, found]]),
    ),
  ).toEqual({
    'app."Odd""name"': ['pass', 4, three, three],
    'app.keyed': ['pass', 20, three, three],
    'app.keyless': ['pass', 5, three, three],
    'app.no_row': ['unknown', 0, [], []],
    'app.one_row': ['pass', 1, three, three],
    'app.only_key': ['pass', 5, three.slice(1), three.slice(1)],
    'app.secret': ['pass', 4, three, three],
  });
  expect(findings.filter(({ verdict }) => verdict !== 'pass')).toMatchObject([
    { code: 'XC-5261', subject: 'app.no_row' },
  ]);
  expect(await digests()).toEqual(before);
  for (const side of [pair.source, pair.target])
    expect(await side.query(`SELECT FROM pg_class WHERE relname LIKE 'xcrepl_self%'`)).toEqual([]);

  await pair.target.query(`UPDATE xcrepl.links SET state = 'paused'`);
  expect(await other.engine.selfTest!(request, never)).toMatchObject({
    tested: [],
    findings: [{ check: 'verify-link', verdict: 'unknown' }],
  });
  await pair.target.query(`UPDATE xcrepl.links SET state = 'streaming'`);
  const link = `app:a:us-east-1:${TARGET_REGION}`;
  const command = await pair.xcrepl(
    ['replication', 'verify', '--self-test', '--link', link, '--tables', 'app.o*', '-o', 'json'],
    { env: { PII_KEY: 'an example key of 32 bytes length' } },
  );
  expect(command.exitCode, command.stderr).toBe(0);
  expect(command.json()).toMatchObject({
    selfTest: true,
    verdict: 'pass',
    tables: [{ table: 'app.one_row' }, { table: 'app.only_key' }],
  });
});
