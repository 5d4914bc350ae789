/** The state directory as it must not be: full, read-only, damaged. A run says so and starts nothing that it cannot record. */

import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { shopTables } from '../../fixtures/shop/tables.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { digests } from '../harness/table-digest.ts';
import { TARGET_REGION } from '../servers/server-pair.ts';
import { expectRefusal } from './refusal.ts';
import { withoutHistory } from './server-history.ts';
import { bothStates } from './server-state.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await makePair({ tenants: ['acme'], scale: 0.02 });
  expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
});
afterEach(() => rm(join(pair.directory, '.xcrepl'), { recursive: true, force: true }));
afterAll(() => pair[Symbol.asyncDispose]());

const run = (...more: readonly string[]) => pair.xcrepl(['replication', 'run', '-o', 'json', ...more]);

/** Mounts a file system of this size at a place of the pair's directory. */
const mounted = async (
  name: string,
  options: string,
): Promise<{ readonly path: string } & AsyncDisposable> => {
  const path = join(pair.directory, name);
  await mkdir(path, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]);
  return {
    path,
    [Symbol.asyncDispose]() {
      execFileSync('umount', [path]);
      return Promise.resolve();
    },
  };
};

/** Why nothing can be mounted here, or null. */
const cannotMount = ((): string | null => {
  if (process.getuid?.() !== 0) return 'mounting takes root';
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    execFileSync('umount', ['/mnt'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'this machine lets nobody mount';
  }
})();

const reason = cannotMount ?? 'possible';

test.skipIf(cannotMount !== null)(`a full disk from the start (mounting: ${reason})`, async () => {
  await using disk = await mounted('.xcrepl', 'size=4k');
  await writeFile(join(disk.path, 'ballast'), Buffer.alloc(4096, 'x'));
  const before = await bothStates(pair);
  expectRefusal(await run(), { code: 'XC-6002', exit: 5, says: ['.xcrepl', 'no space left', 'free space'] });
  expect(await bothStates(pair)).toEqual(before);
});

test.skipIf(cannotMount !== null)(`a disk that fills up during a run (mounting: ${reason})`, async () => {
  // Room for state.json, the plan and the audit log, whose file grows by 256 KiB, but not for the whole journal.
  await using disk = await mounted('.xcrepl', 'size=300k');
  await writeFile(join(disk.path, 'ballast'), Buffer.alloc(12 * 1024, 'x'));
  const full = await run();
  expectRefusal(full, { code: 'XC-6002', exit: 5, says: ['.xcrepl', 'no space left'] });
  // No session, and so no lock, is left; with room the next run does the rest.
  await rm(join(disk.path, 'ballast'));
  await rm(join(disk.path, 'runs'), { recursive: true });
  const held = await pair.target.query(`SELECT FROM pg_locks WHERE locktype = 'advisory'`);
  expect(held).toEqual([]);
});

test('after that the run goes on where it stopped', async () => {
  const next = await run();
  expect(next.exitCode, next.stderr).toBe(0);
  expect(await digests(pair.target, shopTables)).toEqual(await digests(pair.source, shopTables));
});

test.skipIf(cannotMount !== null)(`a read-only state directory (mounting: ${reason})`, async () => {
  await using _disk = await mounted('.xcrepl', 'size=64k,ro');
  const before = withoutHistory(await bothStates(pair));
  expectRefusal(await run(), { code: 'XC-6002', exit: 5, says: ['.xcrepl', 'read-only'] });
  expectRefusal(await pair.xcrepl(['replication', 'simulate', '-o', 'json']), { code: 'XC-6002', exit: 5 });
  expect(withoutHistory(await bothStates(pair))).toEqual(before);
  // What only reads needs no state directory.
  expect((await pair.xcrepl(['replication', 'status', '-o', 'json'])).exitCode).toBe(0);
  expect((await pair.xcrepl(['replication', 'simulate', '--out', 'plan.json', '-o', 'json'])).exitCode).toBe(
    0,
  );
});

test('a state directory that is a file, that is damaged, and that a newer program wrote', async () => {
  const path = join(pair.directory, '.xcrepl');
  await writeFile(path, '');
  expectRefusal(await run(), { code: 'XC-6002', exit: 5, says: [/no directory|file already exists/] });
  await rm(path);
  await mkdir(path);
  await writeFile(join(path, 'state.json'), '{"schemaVersion"');
  expectRefusal(await run(), { code: 'XC-6002', exit: 5, says: ['state.json', 'damaged'] });
  await writeFile(join(path, 'state.json'), '{"schemaVersion":2}');
  expectRefusal(await run(), { code: 'XC-3012', exit: 8, says: ['state.json'] });
});

test('reports that cannot be written are an error, because a run without its report is not done', async () => {
  await mkdir(join(pair.directory, 'closed'));
  await chmod(join(pair.directory, 'closed'), 0o755);
  await writeFile(join(pair.directory, 'closed', 'reports'), '');
  expectRefusal(await run('--report-dir', 'closed/reports'), {
    code: 'XC-6002',
    exit: 5,
    says: ['closed/reports'],
  });
});
