/**
 * A recorded log as a source: replayed into a database that has never seen the recorded one, killed and gone on with,
 * tailed while it grows, and refused where it is not the log that the target's checkpoint belongs to.
 */

import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SHOP_TABLES } from '../../fixtures/shop/tables.ts';
import { traffic } from '../../fixtures/shop/traffic.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { tableDigest } from '../harness/table-digest.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { expectRefusal } from './refusal.ts';
import { until } from './until.ts';

const LINK = `shop:acme:${SOURCE_REGION}:${TARGET_REGION}`;
const REPLAY = `replay:acme:log:${TARGET_REGION}`;
const OF = `tenant_id = 'acme'`;

let pair: Pair;
beforeAll(async () => {
  pair = await makePair({
    tenants: ['acme', 'globex'],
    scale: 0.03,
    config: (config) => ({
      ...config,
      regions: { ...config.regions, log: { zone: 'us', kind: 'changelog', path: 'acme.log' } },
      rules: [
        ...config.rules!,
        { id: 'replay', tenants: ['acme'], tables: ['shop.*'], from: 'log', to: [TARGET_REGION] },
      ],
    }),
  });
  expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
});
afterAll(() => pair[Symbol.asyncDispose]());

const HOW = ['--link', LINK, '--to', 'acme.log', '--rotate-bytes', '64KiB', '-o', 'json'];
const record = () => pair.xcrepl(['replication', 'record', ...HOW]);

const run = (...more: readonly string[]) =>
  pair.xcrepl(['replication', 'run', '--from', 'log', '-o', 'json', ...more]);

const write = async (seed: number): Promise<void> => {
  await using client = await pair.source.connect();
  await traffic(client, {
    seed,
    tenants: ['acme', 'globex'],
    signal: new AbortController().signal,
    transactions: 60,
  });
};

const expectSame = async (): Promise<void> => {
  for (const { name } of Object.values(SHOP_TABLES))
    expect(await tableDigest(pair.target, name, OF), name).toEqual(await tableDigest(pair.source, name, OF));
};

test('without its log a region is said to have none', async () => {
  expectRefusal(await run(), { code: 'XC-5040', exit: 6, says: ['acme.log'] });
});

test('rows and changes arrive as at the source, and a second run finds nothing to do', async () => {
  await write(1);
  const begun = await record();
  expect(begun.exitCode, begun.stderr).toBe(0);
  await write(2);
  expect((await record()).exitCode).toBe(0);
  expect(
    (await readdir(pair.directory)).filter((name) => name.startsWith('acme.log')).length,
  ).toBeGreaterThan(1);
  const plan = JSON.parse(
    (await pair.xcrepl(['replication', 'simulate', '--from', 'log', '-o', 'json'])).stdout,
  ) as {
    steps: { kind: string }[];
  };
  expect(plan.steps.map(({ kind }) => kind)).toEqual(['create-slot', 'stream-changes']);
  const replayed = await run();
  expect(replayed.exitCode, replayed.stderr).toBe(0);
  await expectSame();
  expect(await pair.target.query(`SELECT FROM shop.customers WHERE tenant_id = 'globex'`)).toEqual([]);
  const [link] = await pair.target.query<{ state: string }>(
    'SELECT state FROM xcrepl.links WHERE link = $1',
    [REPLAY],
  );
  expect(link?.state).toBe('streaming');
  expect((await run()).exitCode).toBe(0);
  await expectSame();
});

test('a replay follows the log as it grows, and is killed and gone on with', async () => {
  const follower = pair.spawnXcrepl(['replication', 'run', '--from', 'log', '--follow']);
  const before = await position();
  await write(10);
  expect((await record()).exitCode).toBe(0);
  await until('the log goes on', async () => (await position()) !== before);
  follower.kill('SIGKILL');
  await follower.catch(() => undefined);
  await write(11);
  expect((await record()).exitCode).toBe(0);
  const last = await run('--lock-timeout', '60s');
  expect(last.exitCode, last.stderr).toBe(0);
  await expectSame();
  const status = JSON.parse(
    (await pair.xcrepl(['replication', 'status', '--region', 'log', '-o', 'json'])).stdout,
  ) as { links: { link: string; state: string; lagBytes: number; slot: unknown }[] };
  expect(status.links).toMatchObject([{ link: REPLAY, state: 'streaming', lagBytes: 0, slot: null }]);
});

const position = async (): Promise<string | undefined> =>
  (
    await pair.target.query<{ position: string }>(
      'SELECT c.position FROM xcrepl.checkpoints c JOIN xcrepl.links USING (slot) WHERE link = $1',
      [REPLAY],
    )
  )[0]?.position;

test('an altered line stops before its transaction, and a log that was cut short is refused', async () => {
  const files = async (): Promise<string[]> =>
    (await readdir(pair.directory)).filter((name) => /^acme\.log(\.\d+)?$/.test(name)).toSorted();
  const newest = (await files()).at(-1)!;
  const path = join(pair.directory, newest);
  const shorter = await readFile(path);
  await pair.source.query(`UPDATE shop.customers SET note = 'before it is altered' WHERE ${OF}`);
  expect((await record()).exitCode).toBe(0);
  const whole = await readFile(path, 'utf8');
  const before = await position();
  const edited = whole.replace('before it is altered', 'after it was altered!');
  expect(edited).not.toBe(whole);
  await writeFile(path, edited);
  const stopped = await run();
  expect(stopped.exitCode).toBe(6);
  expect(JSON.parse(stopped.stdout)).toMatchObject({
    errors: [{ code: 'XC-5031', message: expect.stringContaining(`${newest}:`) as string }],
  });
  expect(await position()).toBe(before);
  await writeFile(path, whole);
  const mended = await run();
  expect(mended.exitCode, mended.stderr).toBe(0);
  await expectSame();

  for (const name of await files()) if (name > newest) await rm(join(pair.directory, name));
  await writeFile(path, shorter);
  expectRefusal(await run(), { code: 'XC-5033', exit: 6, says: ['and the log ends at'] });
});

test('a link that was replayed can be dropped, and the log replayed once more', async () => {
  const what = ['--link', REPLAY, '--confirm', TARGET_REGION, '-o', 'json'];
  const dropped = await pair.xcrepl(['replication', 'drop', ...what]);
  expect(dropped.exitCode, dropped.stderr).toBe(0);
  expect(JSON.parse(dropped.stdout)).toMatchObject({ changed: true, state: 'dropped' });
  expectRefusal(await run(), { code: 'XC-5205', exit: 6, says: ['shop.customers'] });
  const again = await run('--existing', 'replace', '--confirm', TARGET_REGION);
  expect(again.exitCode, again.stderr).toBe(0);
  expect(await position()).toBeDefined();
});
