/** A schema that changes between runs and under one: what is not sent is noticed, and what is lacking is waited for. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Finding } from '../../src/core/validation/finding.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { digests } from '../harness/table-digest.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { expectRefusal } from './refusal.ts';
import { until } from './until.ts';

const SCHEMA = `CREATE SCHEMA app; CREATE SCHEMA attic;
  CREATE TABLE app.part (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
  CREATE TABLE app.part_1 PARTITION OF app.part FOR VALUES FROM (1) TO (100);
  CREATE TABLE app.part_2 PARTITION OF app.part FOR VALUES FROM (100) TO (200);
  CREATE TABLE app.plain (id int PRIMARY KEY, v text);
  CREATE TABLE app.leaves (id int PRIMARY KEY, v text);
  CREATE TABLE app.moves (id int PRIMARY KEY, v text);`;

let pair: Pair;
beforeAll(async () => {
  pair = await makePair({
    fixture: 'empty',
    sql: SCHEMA,
    config: (config) => ({
      ...config,
      tenants: { all: { scope: { kind: 'schema', schema: 'app' } } },
      rules: [
        {
          id: 'app',
          tenants: ['all'],
          tables: ['app.*', '!app.part_*'],
          from: SOURCE_REGION,
          to: [TARGET_REGION],
        },
      ],
    }),
  });
  expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
  await pair.source.query(`
    INSERT INTO app.part SELECT g, 'v' || g FROM generate_series(1, 150, 10) AS g;
    INSERT INTO app.plain SELECT g, 'v' || g FROM generate_series(1, 20) AS g;
    INSERT INTO app.leaves VALUES (1, 'x'); INSERT INTO app.moves VALUES (1, 'x');`);
  expect(await runOnce()).toMatchObject({ exit: 0 });
});
afterAll(() => pair[Symbol.asyncDispose]());

const runOnce = async (): Promise<{ exit: number; findings: readonly Finding[] }> => {
  const { stdout, stderr } = await pair.xcrepl(['replication', 'run', '-o', 'json']);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as { exit: number; findings: readonly Finding[] };
};

const codes = (findings: readonly Finding[]): string[] =>
  [
    ...new Set(findings.flatMap(({ code, verdict }) => (code && verdict !== 'pass' ? [code] : []))),
  ].toSorted();

const told = (findings: readonly Finding[], code: string): Finding | undefined =>
  findings.find((finding) => finding.code === code);

const both = async (sql: string): Promise<void> => {
  await pair.target.query(sql);
  await pair.source.query(sql);
};

test('a partition that is emptied, and one that is detached, are noticed and compared', async () => {
  await pair.source.query('TRUNCATE app.part_1');
  const emptied = await runOnce();
  expect(emptied.exit).toBe(6);
  expect(codes(emptied.findings)).toContain('XC-5101');
  expect(told(emptied.findings, 'XC-5225')?.seen).toContain('app.part_1');
  await pair.target.query('TRUNCATE app.part_1');
  expect(await runOnce()).toMatchObject({ exit: 0 });

  await pair.source.query('ALTER TABLE app.part DETACH PARTITION app.part_2');
  const detached = await runOnce();
  expect(detached.exit).toBe(6);
  const remedy = told(detached.findings, 'XC-5225')?.remedy ?? '';
  expect(remedy).toBe('ALTER TABLE "app"."part" DETACH PARTITION "app"."part_2";');
  await pair.target.query(remedy);
  expect(await runOnce()).toMatchObject({ exit: 0 });
  await both('ALTER TABLE app.part ATTACH PARTITION app.part_2 FOR VALUES FROM (100) TO (200)');
  const attached = await runOnce();
  expect(attached.exit).toBe(0);
  expect(told(attached.findings, 'XC-5225')).toMatchObject({ verdict: 'pass' });
});

test('rows that were written anew and not sent are compared; a mere VACUUM FULL is, too, and is found equal', async () => {
  await both('ALTER TABLE app.plain ADD COLUMN r float DEFAULT random()');
  const rewritten = await runOnce();
  expect(rewritten.exit).toBe(6);
  expect(codes(rewritten.findings)).toContain('XC-5101');
  expect(told(rewritten.findings, 'XC-5224')).toMatchObject({ subject: 'app.plain' });
  await pair.source.query('UPDATE app.plain SET r = r');
  expect(await runOnce()).toMatchObject({ exit: 0 });
  await pair.source.query('VACUUM FULL app.plain');
  const vacuumed = await runOnce();
  expect(vacuumed.exit).toBe(0);
  expect(told(vacuumed.findings, 'XC-5224')).toMatchObject({ verdict: 'pass' });
});

test('tables that go, that leave their rule, and that come', async () => {
  await pair.source.query('DROP TABLE app.leaves');
  const dropped = await runOnce();
  expect(dropped.exit).toBe(0);
  expect(told(dropped.findings, 'XC-5226')?.remedy).toContain('DROP TABLE "app"."leaves";');
  expect((await runOnce()).findings.map(({ code }) => code)).not.toContain('XC-5226');

  await pair.source.query(`ALTER TABLE app.moves SET SCHEMA attic; UPDATE attic.moves SET v = 'moved'`);
  const away = await pair.xcrepl(['replication', 'run', '-o', 'json']);
  expectRefusal(away, { code: 'XC-5223', exit: 6, says: ['attic.moves', 'SET SCHEMA "attic"'] });
  await pair.source.query('ALTER TABLE attic.moves SET SCHEMA app');
  expect(await runOnce()).toMatchObject({ exit: 0 });
  expect(await pair.target.query(`SELECT FROM app.moves WHERE v = 'moved'`)).toHaveLength(1);

  await pair.source.query(`CREATE TABLE app.fresh (id int PRIMARY KEY, v text NOT NULL DEFAULT 'x')`);
  await pair.source.query(`UPDATE app.plain SET v = 'beside'`);
  const beside = await runOnce();
  expect(codes(beside.findings)).toEqual(['XC-5250']);
  expect(beside.exit).toBe(3);
  expect(told(beside.findings, 'XC-5250')?.remedy).toContain('CREATE TABLE IF NOT EXISTS "app"."fresh" (');
  expect(await digests(pair.target, ['app.plain'])).toEqual(await digests(pair.source, ['app.plain']));
  await pair.source.query('DROP TABLE app.fresh');
});

test('a run that follows waits for what the target lacks, and goes on by itself; one that does not ends there', async () => {
  await pair.source.query('ALTER TABLE app.plain ADD COLUMN helpful numeric(4,1)');
  // Nothing needs it yet.
  expect(await runOnce()).toMatchObject({ exit: 0 });
  await pair.source.query('UPDATE app.plain SET helpful = id / 10.0');
  expect(await runOnce()).toMatchObject({ exit: 6, errors: [{ code: 'XC-5202' }] });

  await pair.source.query('ALTER TABLE app.moves ADD COLUMN more text');
  await pair.target.query('ALTER TABLE app.plain ADD COLUMN helpful numeric(4,1)');
  const running = pair.spawnXcrepl(['replication', 'run', '--follow', '-o', 'json']);
  let said = '';
  running.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const same = async (): Promise<boolean> =>
    JSON.stringify(await digests(pair.target, ['app.plain', 'app.moves'])) ===
    JSON.stringify(await digests(pair.source, ['app.plain', 'app.moves']));
  await until('the run follows', () => said.includes('verify'));
  await pair.source.query(`UPDATE app.plain SET v = 'before'`);
  await pair.source.query(`UPDATE app.moves SET more = 'm', v = 'after'`);
  await until('it waits', () => said.includes('waiting: XC-5202'));
  const statement = /^ALTER TABLE .*$/m.exec(said)![0];
  expect(statement).toBe('ALTER TABLE "app"."moves" ADD COLUMN "more" text;');
  expect(await pair.target.query(`SELECT FROM app.plain WHERE v = 'before'`)).toHaveLength(20);
  await pair.target.query(statement);
  await until('it goes on', same);
  running.kill('SIGTERM');
  expect((await running).exitCode).toBe(143);
});
