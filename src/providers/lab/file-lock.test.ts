import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockHolder, takeLock, underLock } from './file-lock.ts';
import { processIdentity } from './process-identity.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'xcrepl-lock-'));
  path = join(directory, 'lock');
});
afterEach(() => rm(directory, { recursive: true }));

test('a living holder keeps others out, and is named', async () => {
  await underLock(path, async () => {
    await expect(takeLock(path)).rejects.toMatchObject({ code: 'XC-7002', facts: { pid: process.pid } });
    expect((await lockHolder(path))?.pid).toBe(process.pid);
  });
  expect(await readdir(directory)).toEqual([]);
});

test('a holder that is gone holds nothing, even if its pid lives again', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)']);
  await once(child, 'spawn');
  const identity = await processIdentity(child.pid!);
  expect(identity).not.toBeNull();
  const holder = { pid: child.pid, identity, host: 'h', since: 's' };
  await writeFile(path, JSON.stringify(holder));
  await expect(takeLock(path)).rejects.toMatchObject({ code: 'XC-7002' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await underLock(path, async () => 'mine')).toBe('mine');

  await writeFile(path, JSON.stringify({ ...holder, pid: process.pid }));
  expect(await underLock(path, async () => 'mine')).toBe('mine');
});

test('of many that find a dead holder, exactly one takes over', async () => {
  for (let round = 0; round < 10; round++) {
    await writeFile(path, `not even JSON ${round}`);
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => takeLock(path)));
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(won).toHaveLength(1);
    expect(await readFile(path, 'utf8')).toBe(won[0]?.value);
    expect(await readdir(directory)).toEqual(['lock']);
  }
});

test('a takeover that was cut short is taken over itself', async () => {
  await writeFile(path, 'not even JSON');
  await writeFile(`${path}.claim`, 'nobody');
  expect(await underLock(path, async () => 'mine')).toBe('mine');
  expect(await readdir(directory)).toEqual([]);
});

test('the lock is released when the work fails', async () => {
  const failing = underLock(path, () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  expect(await lockHolder(path)).toBeNull();
});
