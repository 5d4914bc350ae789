/** Processes that append to one log are killed at instants that a seed gives: what was told to be durable is in the log. */

import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseEntry } from '../../src/core/audit/entry.ts';
import { verifyLog, type Anchor } from '../../src/core/audit/verify.ts';
import { seededRandom } from '../../src/core/time/seeded-random.ts';
import { readLog } from '../../src/providers/audit-files/open-log.ts';
import { openTestLog, testKey } from './open-test-log.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
const key = testKey(privateKey);

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'xcrepl-killed-'));
  await writeFile(join(root, 'key.pem'), pem, { mode: 0o600 });
});
afterAll(() => rm(root, { recursive: true, force: true }));

const SCRIPT = join(import.meta.dirname, 'writing-process.ts');
/** The second file begins at 4096: some rounds are killed about there. */
const BEFORE = 3900;
/** Entries that are waited for before the kill, at most. */
const MOST_ENTRIES = 150;
const SEED = 'killed writers';

/** What a process of this name told until it was killed, `afterMs` after its `count`th entry. */
const killed = async (path: string, name: string, count: number, afterMs: number): Promise<string[]> => {
  const child = spawn(process.execPath, [SCRIPT, path, join(root, 'key.pem'), name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let told = '';
  let lines = 0;
  const enough = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      told += text;
      lines += text.split('\n').length - 1;
      if (lines >= count) resolve();
    });
  });
  const closed = once(child, 'close');
  await Promise.race([enough, closed]);
  await sleep(afterMs);
  child.kill('SIGKILL');
  await closed;
  return told
    .slice(0, told.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
};

test('a log whose writers are killed verifies, holds all that was acknowledged, and goes on', async () => {
  const path = join(root, 'log');
  {
    await using log = openTestLog(path, pem);
    await log.append(
      Array.from({ length: BEFORE }, (_, at) => ({ action: 'test.append', subject: `${at}` })),
    );
    await log.publish();
  }
  const random = seededRandom(SEED);
  const acknowledged = new Map<number, string>();
  const anchors: Anchor[] = [];
  const reader = readLog(path);
  for (let round = 0; round < 3; round++) {
    const told = await Promise.all(
      ['one', 'two'].map((name) =>
        killed(path, `${name}-${round}`, 1 + Math.floor(random.next() * MOST_ENTRIES), random.next() * 8),
      ),
    );
    for (const line of told.flat()) {
      const [, number = '', subject = ''] = /^(\d+) (.*)$/.exec(line) ?? [];
      expect(acknowledged.has(Number(number)), `round ${round}: number ${number} was given twice`).toBe(
        false,
      );
      acknowledged.set(Number(number), subject);
    }
    // Before anybody mends anything: what readers find is whole.
    expect((await verifyLog(reader, [key], anchors)).findings, `seed ${SEED}, round ${round}`).toEqual([]);
    const note = await reader.readCheckpoint();
    if (note !== null) anchors.push({ place: `round ${round}`, note });
  }
  await using log = openTestLog(path, pem);
  await log.append([{ action: 'test.append', subject: 'afterwards' }]);
  await log.publish();
  expect(await verifyLog(reader, [key], anchors)).toMatchObject({ verdict: 'pass', findings: [] });
  const found = new Map<number, string>();
  for await (const { number, bytes } of reader.entries()) found.set(number, parseEntry(bytes)!.subject);
  expect(new Set(found.values()).size).toBe(found.size);
  const lost = [...acknowledged].filter(([number, subject]) => found.get(number) !== subject);
  expect(lost).toEqual([]);
  expect(acknowledged.size).toBeGreaterThan(50);
});
