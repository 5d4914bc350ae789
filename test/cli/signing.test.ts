/** Keys and signatures as the built program makes them, and as other tools see them. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from './spawn.ts';

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'xcrepl-signing-'));
  writeFileSync(join(cwd, 'plan.json'), '{"schemaVersion":1}\n');
});
afterAll(() => rmSync(cwd, { recursive: true }));

const PASSPHRASE = 'correct horse battery';
const xcrepl = (args: readonly string[], passphrase = PASSPHRASE) =>
  run([...args, '-o', 'json'], { cwd, env: { COSIGN_PASSWORD: passphrase } });

test('a pair of keys signs a file, and whoever has the public one verifies it', async () => {
  const made = await xcrepl(['policy', 'keygen', '--out', 'alice']);
  expect(made.exit, made.stderr).toBe(0);
  expect(statSync(join(cwd, 'alice.key')).mode & 0o777).toBe(0o600);
  expect((await xcrepl(['policy', 'keygen', '--out', 'alice'])).exit).toBe(2);
  const { keyId } = JSON.parse(made.stdout) as { keyId: string };
  const signed = await xcrepl(['policy', 'sign', 'plan.json', '--key', 'alice.key']);
  expect(signed.exit, signed.stderr).toBe(0);
  const verified = await xcrepl(['policy', 'verify', 'plan.json', '--key', 'alice.pub']);
  expect(verified.exit, verified.stderr).toBe(0);
  expect(JSON.parse(verified.stdout)).toMatchObject({ holds: true, keyId, key: 'alice.pub' });

  for (const { stdout, stderr } of [made, signed, verified])
    expect(stdout + stderr).not.toContain(PASSPHRASE);
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

test.skipIf(!hasOpenssl)('openssl verifies the bare signature (needs openssl)', async () => {
  const raw = await xcrepl(['policy', 'sign', 'plan.json', '--key', 'alice.key', '--raw']);
  const { signature } = JSON.parse(raw.stdout) as { signature: string };
  writeFileSync(join(cwd, 'raw.sig'), Buffer.from(signature, 'base64'));
  const said = execFileSync(
    'openssl',
    ['dgst', '-sha256', '-verify', 'alice.pub', '-signature', 'raw.sig', 'plan.json'],
    { cwd, encoding: 'utf8' },
  );
  expect(said).toContain('Verified OK');
  expect(raw.stdout + raw.stderr).not.toContain(PASSPHRASE);
});

test('a wrong passphrase, another key and a changed file each have their own answer', async () => {
  expect((await xcrepl(['policy', 'keygen', '--out', 'bob'])).exit).toBe(0);
  expect((await xcrepl(['policy', 'sign', 'plan.json', '--key', 'alice.key'], 'wrong')).exit).toBe(4);
  const other = await xcrepl(['policy', 'verify', 'plan.json', '--key', 'bob.pub']);
  expect([other.exit, other.stderr]).toEqual([7, expect.stringContaining('XC-2042')]);
  writeFileSync(join(cwd, 'plan.json'), '{"schemaVersion":2}\n');
  const changed = await xcrepl(['policy', 'verify', 'plan.json', '--key', 'alice.pub', '--key', 'bob.pub']);
  expect([changed.exit, changed.stderr]).toEqual([7, expect.stringContaining('XC-2030')]);
});
