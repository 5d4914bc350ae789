/** The audit log as commands write it, against real servers. */

import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLog } from '../../src/commands/audit/open.ts';
import { verifyThisLog } from '../../src/commands/audit/verify-this-log.ts';
import { settlingNowAndThen } from '../../src/commands/replication/record-run.ts';
import { formatCheckpoint } from '../../src/core/audit/checkpoint.ts';
import { signNote } from '../../src/core/audit/note.ts';
import type { Clock } from '../../src/core/time/clock.ts';
import { ATTACKS } from '../audit/attacks.ts';
import { hostIn } from '../audit/audit-host.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { expectRefusal } from './refusal.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await makePair({ tenants: ['acme'], scale: 0.02 });
});
afterAll(() => pair[Symbol.asyncDispose]());

interface Entry {
  readonly number: number;
  readonly action: string;
  readonly subject: string;
  readonly tenant: string | null;
  readonly run: string | null;
  readonly outbox: { readonly database: string; readonly id: string } | null;
}

const json = async <T>(...args: string[]): Promise<T> => {
  const ran = await pair.xcrepl([...args, '-o', 'json']);
  expect(ran.exitCode, ran.stderr).toBe(0);
  return JSON.parse(ran.stdout) as T;
};
const entries = async (): Promise<Entry[]> =>
  (await json<{ entries: Entry[] }>('audit', 'list', '--last', '1000')).entries;

const LINK = `shop:acme:${SOURCE_REGION}:${TARGET_REGION}`;

test('what changes something is in the log, in order, anchored in every region that has the schema', async () => {
  expect(await json('audit', 'status')).toMatchObject({ log: null });
  await json('init', '--region', TARGET_REGION);
  await json('init', '--region', SOURCE_REGION);
  expect((await pair.xcrepl(['replication', 'simulate'])).exitCode).toBe(0);
  expect((await entries()).map(({ action }) => action)).toEqual(['region.init', 'region.init']);
  const { run } = await json<{ run: string }>('replication', 'run');
  const all = await entries();
  expect(all.map(({ action }) => action)).toEqual([
    'region.init',
    'region.init',
    'replication.run-begin',
    'replication.run-end',
    'link.copy',
    'link.stream',
  ]);
  expect(all.filter((entry) => entry.run === run)).toHaveLength(4);
  expect(all.filter(({ action }) => action.startsWith('link.'))).toEqual([
    expect.objectContaining({ subject: LINK, tenant: 'acme', outbox: expect.anything() as object }),
    expect.objectContaining({ subject: LINK, tenant: 'acme', outbox: expect.anything() as object }),
  ]);
  expect(await pair.target.query('SELECT FROM xcrepl.audit_outbox')).toEqual([]);
  const status = await json<{ places: { anchored: number }[] }>('audit', 'status');
  expect(status).toMatchObject({ entries: 6, signed: 6, anchored: 6, unanchored: null });
  expect(status.places.map(({ anchored }) => anchored)).toEqual([6, 6]);
  expect(await json('audit', 'verify')).toMatchObject({ verdict: 'pass', entries: 6, anchored: 6 });
});

test('rows that a killed command had claimed are appended once', async () => {
  const { entries: before } = await json<{ entries: number }>('audit', 'status');
  const [{ origin }] = (await pair.target.query<{ origin: string }>(
    'SELECT DISTINCT origin FROM xcrepl.audit_anchors',
  )) as [{ origin: string }];
  const known = (await entries()).find(({ outbox }) => outbox)!.outbox!;
  // One that is in the log already, and was to be removed; one that was claimed and not appended; one that waits.
  await pair.target.query(
    `INSERT INTO xcrepl.audit_outbox (id, stream, run, action, subject, claimed_by) OVERRIDING SYSTEM VALUE
     VALUES ($1, 's', 'rn_1', 'link.twice', $2, $3), (1000001, 's', 'rn_1', 'link.claimed', $2, $3),
            (1000002, 's', 'rn_1', 'link.waiting', $2, NULL), (1000003, 's', 'rn_1', 'link.other', $2, 'xcrepl/other')`,
    [known.id, LINK, origin],
  );
  await json('replication', 'stop', '--link', LINK, '--confirm', TARGET_REGION);
  const added = (await entries()).slice(before).map(({ action }) => action);
  expect(added.filter((action) => !action.startsWith('link.re'))).toEqual([
    'replication.stop',
    'link.claimed',
    'link.waiting',
  ]);
  expect(await pair.target.query('SELECT action FROM xcrepl.audit_outbox')).toEqual([
    { action: 'link.other' },
  ]);
});

test('a proof stands alone', async () => {
  await json('audit', 'prove', '3', '--out', 'entry.tlog-proof');
  const key = '.xcrepl/audit/log-key.pub';
  expect(await json('audit', 'check-proof', 'entry.tlog-proof', '--key', key)).toMatchObject({
    holds: true,
    entry: { action: 'replication.run-end' },
  });
  await json('audit', 'prove', '--consistency', '2', '6', '--out', 'grown.proof');
  expect(await json('audit', 'check-proof', 'grown.proof', '--key', key)).toMatchObject({
    firstSize: 2,
    size: 6,
  });
  const path = join(pair.directory, 'entry.tlog-proof');
  await writeFile(path, (await readFile(path, 'utf8')).replace('index 3', 'index 2'));
  expectRefusal(await pair.xcrepl(['audit', 'check-proof', 'entry.tlog-proof', '--key', key, '-o', 'json']), {
    code: 'XC-5604',
    exit: 6,
  });
  expectRefusal(await pair.xcrepl(['audit', 'prove', '1000000', '-o', 'json']), { code: 'XC-1004', exit: 2 });
});

test('a log that was cut and signed again does not fit its anchors', async () => {
  const directory = join(pair.directory, '.xcrepl/audit/entries');
  const [file] = readdirSync(directory);
  const path = join(directory, file!);
  const text = (await readFile(path, 'latin1')).replaceAll('\0', '');
  await writeFile(path, text.split('\n').slice(0, 4).join('\n') + '\n', 'latin1');
  const ran = await pair.xcrepl(['audit', 'verify', '-o', 'json']);
  expect(ran.exitCode).toBe(6);
  expect(JSON.parse(ran.stdout)).toMatchObject({ verdict: 'fail', entries: 4 });
  await writeFile(path, text, 'latin1');
  expect((await pair.xcrepl(['audit', 'verify'])).exitCode).toBe(0);
});

/** A command that records so many entries, and ends. */
const act = async (count: number): Promise<void> => {
  const { audit } = hostIn(pair.directory).host;
  for (let at = 0; at < count; at++) await audit.append({ action: 'test.act', subject: `thing ${at}` });
  await audit.close();
};

test('each change of the log is shown by a database alone, and where', async () => {
  const path = join(pair.directory, '.xcrepl/audit');
  const [earlier, whole] = ['earlier', 'whole'].map((name) => join(pair.directory, name)) as [string, string];
  const { entries: early } = await json<{ entries: number }>('audit', 'status');
  await cp(path, earlier, { recursive: true });
  await act(4);
  await cp(path, whole, { recursive: true });
  for (const { name, change, located } of ATTACKS) {
    const { log } = await openLog(hostIn(pair.directory).host);
    await change({ path, earlier, early, open: () => log });
    const { document, exit } = await verifyThisLog(hostIn(pair.directory).host, { offline: false });
    const { subject, seen } = located(early + 4, early);
    const { findings } = document as { findings: { subject: string; seen: string }[] };
    expect(exit, name).toBe(6);
    expect(findings, name).toContainEqual(
      expect.objectContaining({
        subject: expect.stringMatching(subject) as string,
        seen: expect.stringMatching(seen) as string,
      }),
    );
    await rm(path, { recursive: true });
    await cp(whole, path, { recursive: true });
  }
  expect(await json('audit', 'verify')).toMatchObject({ verdict: 'pass', entries: early + 4 });
});

test('a run that follows anchors every 256 entries, its own and those that were written with rows', async () => {
  const ticks: (() => void)[] = [];
  const clock: Clock = {
    nowMs: () => Date.now(),
    sleep: (_ms, signal) =>
      new Promise<void>((resolve, reject) => {
        ticks.push(resolve);
        signal.addEventListener('abort', () => reject(new Error('over')));
      }),
  };
  const { host, said } = hostIn(pair.directory, clock);
  const { entries: before } = await json<{ entries: number }>('audit', 'status');
  const settling = settlingNowAndThen(host);
  for (let at = 0; at < 300; at++) await host.audit.append({ action: 'test.act', subject: `thing ${at}` });
  await pair.target.query(
    `INSERT INTO xcrepl.audit_outbox (stream, run, action, subject)
       SELECT 's', 'rn_1', 'link.many', $1 FROM generate_series(1, 600)`,
    [LINK],
  );
  ticks.at(-1)?.();
  await expect
    .poll(() => pair.target.query(`SELECT FROM xcrepl.audit_outbox WHERE action = 'link.many'`), {
      timeout: 60_000,
    })
    .toEqual([]);
  await settling[Symbol.asyncDispose]();
  await host.audit.close();
  expect(said).toEqual([]);
  for (const side of [pair.source, pair.target]) {
    const anchors = await side.query<{ size: number }>(
      'SELECT size::int FROM xcrepl.audit_anchors WHERE size >= $1 ORDER BY size',
      [before],
    );
    const sizes = anchors.map(({ size }) => size - before);
    expect(sizes).toEqual([0, 256, 556, 812, 900]);
  }
});

test('another checkpoint of the same size in a database is told', async () => {
  const { entries: size } = await json<{ entries: number }>('audit', 'status');
  const { host, said } = hostIn(pair.directory);
  const { origin, keys, log } = await openLog(host);
  await log[Symbol.asyncDispose]();
  const forged = formatCheckpoint({ origin, size: size + 1, root: Buffer.alloc(32) });
  await pair.target.query('INSERT INTO xcrepl.audit_anchors (origin, size, note) VALUES ($1, $2, $3)', [
    origin,
    size + 1,
    await signNote(forged, [keys.signer]),
  ]);
  await host.audit.append({ action: 'test.act', subject: 'after it' });
  await host.audit.close();
  expect(said.join('')).toContain(`another checkpoint of ${size + 1} entries`);
  expect((await pair.xcrepl(['audit', 'verify', '-o', 'json'])).exitCode).toBe(6);
  await pair.target.query('DELETE FROM xcrepl.audit_anchors WHERE origin = $1 AND size = $2', [
    origin,
    size + 1,
  ]);
});

test('a region that does not answer keeps no command from working, and is anchored by the next', async () => {
  await pair.useDsn('source', 'postgresql://nobody@127.0.0.1:1/none');
  const ran = await pair.xcrepl(['init', '--region', TARGET_REGION, '-o', 'json']);
  expect(ran.exitCode, ran.stderr).toBe(0);
  const verified = await pair.xcrepl(['audit', 'verify', '-o', 'json']);
  expect(verified.exitCode).toBe(12);
  expect(JSON.parse(verified.stdout)).toMatchObject({ verdict: 'unknown', unasked: [{}] });
});
