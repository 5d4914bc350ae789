/** A log on a real disk: what is appended is found, and whatever is changed afterwards is found, too. */

import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto';
import { appendFile, cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditEvent, AuditLog } from '../../core/audit/log.ts';
import { verifyLog, type Anchor } from '../../core/audit/verify.ts';
import { signNote } from '../../core/audit/note.ts';
import { formatCheckpoint } from '../../core/audit/checkpoint.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { openAuditLog, readLog } from './open-log.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spki = publicKey.export({ format: 'der', type: 'spki' });
const key = {
  name: 'xcrepl/acme',
  keyId: createHash('sha256').update(spki).digest().subarray(0, 4),
  sign: (text: Uint8Array) => Promise.resolve(sign('sha256', text, privateKey)),
  verify: (text: Uint8Array, signature: Uint8Array) => verify('sha256', text, publicKey, signature),
};

let root: string;
beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), 'xcrepl-audit-'))));
afterAll(() => rm(root, { recursive: true, force: true }));

/** Locks by path within this process: the lock between processes has tests of its own. */
const held = new Set<string>();
const lock = (path: string) => ({
  take: () => {
    if (held.has(path)) return Promise.reject(new XcError('XC-7002', { subject: path }));
    held.add(path);
    return Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve(void held.delete(path)) });
  },
});

const open = (path: string): AuditLog =>
  openAuditLog({
    path,
    controlPlane: 'acme',
    origin: 'xcrepl/acme',
    actor: 'sre@host',
    keys: { signer: key, verifiers: [key] },
    clock: { nowMs: () => 1_790_000_000_000, sleep: () => Promise.resolve() },
    lock,
  });

const event = (number: number): AuditEvent => ({
  action: 'replication.run',
  subject: `link ${number}`,
  facts: { number },
});

/** A log of 9,000 entries: three files, 35 full tiles and partial ones on three levels. */
const SIZE = 9000;
let whole: string;
let early: Anchor;
beforeAll(async () => {
  whole = join(root, 'whole');
  await using log = open(whole);
  await log.append(Array.from({ length: 1000 }, (_, at) => event(at)));
  early = { place: 'region eu', note: (await log.publish()).note };
  await log.append(Array.from({ length: SIZE - 1000 }, (_, at) => event(1000 + at)));
  await log.publish();
});

const copy = async (name: string): Promise<string> => {
  const path = join(root, name);
  await cp(whole, path, { recursive: true });
  return path;
};

const judge = (path: string, anchors: readonly Anchor[] = [early]) =>
  verifyLog(readLog(path), [key], anchors);

const edit = async (path: string, change: (text: string) => string): Promise<void> =>
  writeFile(path, change(await readFile(path, 'latin1')), 'latin1');

test('a log that nobody touched passes, and says how much of it is signed and anchored', async () => {
  expect(await judge(whole)).toEqual({
    verdict: 'pass',
    entries: SIZE,
    signed: SIZE,
    anchored: 1000,
    findings: [],
  });
});

const entriesFile = (path: string, first: number): string =>
  join(path, 'entries', `${String(first).padStart(12, '0')}.ndjson`);

test.each([
  [
    'an edited byte',
    async (path: string) =>
      edit(entriesFile(path, 4096), (text) => text.replace('"link 5000"', '"link 5O00"')),
    ['entry 5000', /^it is not the entry that tile\/0\/019 speaks of$/],
  ],
  [
    'two entries in another order',
    async (path: string) =>
      edit(entriesFile(path, 0), (text) => {
        const lines = text.split('\n');
        [lines[300], lines[301]] = [lines[301]!, lines[300]!];
        return lines.join('\n');
      }),
    ['entry 300', /the entry that is here now was number 301$/],
  ],
  [
    'a replaced tile',
    async (path: string) => cp(join(path, 'tile/0/003'), join(path, 'tile/0/004')),
    ['entry 1024', /tile\/0\/004/],
  ],
  [
    'a replaced tile of the second level',
    async (path: string) => edit(join(path, 'tile/1/000.p/35'), (text) => `x${text.slice(1)}`),
    ['tile/1/000.p/35', /hash 0/],
  ],
  ['a missing tile', async (path: string) => rm(join(path, 'tile/0/007')), ['tile/0/007', /missing/]],
  [
    'an entry taken out',
    async (path: string) => edit(entriesFile(path, 8192), (text) => text.replace(/^.*\n/, '')),
    ['entry 8192', /tile\/0\/032/],
  ],
  [
    'the end cut off',
    async (path: string) =>
      edit(entriesFile(path, 8192), (text) => text.split('\n').slice(0, 700).join('\n') + '\n'),
    ['checkpoint', /speaks of 9000 entries; the last 108 are missing/],
  ],
  [
    'a bundle with other entries',
    async (path: string) => cp(join(path, 'tile/entries/002'), join(path, 'tile/entries/001')),
    ['tile/entries/1', /does not hold/],
  ],
  [
    'a checkpoint that another key signed',
    async (path: string) => edit(join(path, 'checkpoint'), (text) => text.replace('9000', '8999')),
    ['checkpoint', /signature that does not fit/],
  ],
] as const)('%s is found and located', async (name, change, [subject, seen]) => {
  const path = await copy(name);
  await change(path);
  const judged = await judge(path);
  expect(judged.verdict).toBe('fail');
  expect(judged.findings).toContainEqual(
    expect.objectContaining({ subject, seen: expect.stringMatching(seen) as string }),
  );
});

test('a log that was written anew, with tiles and a valid checkpoint, does not fit the anchors', async () => {
  const path = join(root, 'forged');
  {
    await using log = open(path);
    await log.append(Array.from({ length: SIZE }, (_, at) => event(at === 500 ? 501 : at)));
    await log.publish();
  }
  expect((await judge(path, [])).verdict).toBe('pass');
  const judged = await judge(path);
  expect(judged).toMatchObject({ verdict: 'fail', anchored: 0 });
  expect(judged.findings).toEqual([
    expect.objectContaining({ subject: 'region eu', seen: expect.stringContaining('0 to 999') as string }),
  ]);
});

test('an older copy put back is found by the anchor', async () => {
  const path = join(root, 'old');
  {
    await using log = open(path);
    await log.append(Array.from({ length: 400 }, (_, at) => event(at)));
    await log.publish();
  }
  const judged = await judge(path);
  expect(judged.findings.map(({ subject, code }) => [subject, code])).toEqual([
    ['region eu', 'XC-5603'],
    ['checkpoint', 'XC-5603'],
  ]);
});

test('a checkpoint of another log, signed by the same key, does not count as this one’s beginning', async () => {
  const note = await signNote(
    formatCheckpoint({ origin: 'xcrepl/acme', size: 9000, root: Buffer.alloc(32) }),
    [key],
  );
  expect((await judge(whole, [{ place: 'bucket', note }])).findings).toEqual([
    expect.objectContaining({ subject: 'bucket', code: 'XC-5601' }),
  ]);
});

test('a torn last line is no entry, is kept beside the file, and the log goes on', async () => {
  const path = await copy('torn');
  const file = entriesFile(path, 8192);
  const text = await readFile(file, 'latin1');
  const end = text.lastIndexOf('\n') + 1;
  await truncate(file, end);
  await appendFile(file, '{"action":"replication.ru');
  {
    await using log = open(path);
    expect(await log.append([event(SIZE), event(SIZE + 1)])).toEqual([SIZE, SIZE + 1]);
    await log.publish();
  }
  expect(await judge(path)).toMatchObject({ verdict: 'pass', entries: SIZE + 2, signed: SIZE + 2 });
  const aside = (await readdir(join(path, 'entries'))).filter((name) => name.includes('torn'));
  expect(aside).toHaveLength(1);
  expect(await readFile(join(path, 'entries', aside[0]!), 'latin1')).toContain('replication.ru');
});

test('a line that a crash left behind a gap is no entry, and is never read behind the next one', async () => {
  const path = join(root, 'gap');
  {
    await using log = open(path);
    await log.append(Array.from({ length: 4096 }, (_, at) => event(at)));
  }
  const stray = (await readFile(entriesFile(path, 0), 'latin1')).split('\n')[0]!;
  // The second file's lines came to the disk, and the first one's last did not.
  await edit(entriesFile(path, 0), (text) => text.split('\n').slice(0, 4094).join('\n') + '\n');
  await writeFile(entriesFile(path, 4096), `${stray}\n${stray}\n`);
  {
    await using log = open(path);
    expect(await log.append([event(1), event(2), event(3)])).toEqual([4094, 4095, 4096]);
    await log.publish();
  }
  expect(await judge(path, [])).toMatchObject({ verdict: 'pass', entries: 4097, signed: 4097 });
});

test('nothing is appended behind an end that was cut off', async () => {
  const path = await copy('cut');
  await edit(entriesFile(path, 8192), (text) => text.split('\n').slice(0, 700).join('\n') + '\n');
  await using log = open(path);
  await expect(log.append([event(SIZE)])).rejects.toMatchObject({ code: 'XC-5603' });
  expect((await judge(path)).findings).toMatchObject([{ subject: 'checkpoint', code: 'XC-5603' }]);
});

test('several writers, in one process and in turns, each get their own numbers', async () => {
  const path = join(root, 'shared');
  await using one = open(path);
  await using two = open(path);
  const numbers = await Promise.all(
    Array.from({ length: 300 }, (_, at) => (at % 2 === 0 ? one : two).append([event(at), event(at)])),
  );
  expect(numbers.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 600 }, (_, at) => at));
  for (const [first, second] of numbers) expect(second).toBe(first! + 1);
  await one.publish();
  await two.append([event(1000)]);
  await two.publish();
  expect(await judge(path, [])).toMatchObject({ verdict: 'pass', entries: 601, signed: 601 });
});

test('publishing again without new entries changes nothing', async () => {
  const path = await copy('again');
  const before = await readFile(join(path, 'checkpoint'), 'utf8');
  await using log = open(path);
  expect((await log.publish()).note).toBe(before);
});
