/** A disk that takes no more: what it refused is not in the log, what it took is, and the log goes on when there is room. */

import { execa } from 'execa';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseEntry } from '../../src/core/audit/entry.ts';
import { verifyLog } from '../../src/core/audit/verify.ts';
import { readLog } from '../../src/providers/audit-files/open-log.ts';
import { openTestLog, testKey } from './open-test-log.ts';

const SCRIPT = join(import.meta.dirname, 'filling-process.ts');
/** Largest file of the process, in blocks of 512 bytes (a shell may count 1024): within a step by which a file of entries grows. */
const BLOCKS = 777;

test('what a full disk refuses is not in the log, and what it took is', async () => {
  const root = await mkdtemp(join(tmpdir(), 'xcrepl-full-'));
  try {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    await writeFile(join(root, 'key.pem'), pem, { mode: 0o600 });
    const path = join(root, 'log');
    // The limit cuts a write short before it refuses the next one, as a disk does.
    const limited = `trap '' XFSZ; ulimit -f ${BLOCKS}; exec "$0" "$@"`;
    const { stdout } = await execa('/bin/sh', [
      '-c',
      limited,
      process.execPath,
      SCRIPT,
      path,
      join(root, 'key.pem'),
    ]);
    const told = stdout.split('\n');
    expect(new Set(told.filter((line) => line.startsWith('refused')))).toEqual(new Set(['refused XC-6002']));
    const taken = told.filter((line) => !line.startsWith('refused'));
    expect(taken.length).toBeGreaterThan(100);
    const found: string[] = [];
    for await (const { number, bytes } of readLog(path).entries())
      found.push(`${number} ${parseEntry(bytes)?.subject}`);
    expect(found).toEqual(taken);
    await using log = openTestLog(path, pem);
    expect(await log.append([{ action: 'test.append', subject: 'room again' }])).toEqual([taken.length]);
    await log.publish();
    expect(await verifyLog(readLog(path), [testKey(privateKey)], [])).toMatchObject({
      verdict: 'pass',
      entries: taken.length + 1,
    });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
