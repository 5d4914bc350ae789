/** Keys and signatures as the built program makes them, and as other tools see them. */

import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configWith, run } from './spawn.ts';

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

const CASES = join(import.meta.dirname, '../../fixtures/policies/production.yaml');

test('declared cases are run against the gates, and a case that does not hold ends with 6', async () => {
  const ran = await xcrepl(['policy', 'test', CASES]);
  expect(ran.exit, ran.stdout).toBe(0);
  const report = JSON.parse(ran.stdout) as { pass: number; coverage: { missing: string[] }[] };
  expect(report.pass).toBeGreaterThan(8);
  const few = await xcrepl(['policy', 'test', CASES, '-r', 'evidence']);
  expect((JSON.parse(few.stdout) as { pass: number }).pass).toBe(1);
  const wrong = 'schemaVersion: 1\ncases: [{ name: x, intent: { kind: plan }, expect: { P1: PASS } }]\n';
  writeFileSync(join(cwd, 'wrong.yaml'), wrong);
  expect((await xcrepl(['policy', 'test', 'wrong.yaml'])).exit).toBe(6);
});

test('the residency report counts refused flows, and its signature holds', async () => {
  const config = configWith(
    'env:DSN',
    `  ap-south-1: { zone: ap, postgres: { dsn: env:DSN } }
tenants:
  acme: { scope: { kind: schema, schema: acme }, residency: { zones: [us] } }
  beta: { scope: { kind: schema, schema: beta } }
rules:
  - { id: all, tenants: ['*'], tables: ['*.*'], from: us-east-1, to: [ap-south-1] }
`,
  );
  writeFileSync(join(cwd, 'xcrepl.yaml'), config);
  const ran = await xcrepl(['policy', 'residency-report', '--key', 'alice.key']);
  expect(ran.exit, ran.stderr).toBe(0);
  expect(JSON.parse(ran.stdout)).toMatchObject({
    flows: [
      { tenant: 'acme', region: 'ap-south-1', checked: 1, allowed: 0, refused: 1 },
      { tenant: 'beta', checked: 1, allowed: 1, refused: 0 },
    ],
  });
  expect((await xcrepl(['policy', 'verify', 'residency-report.json', '--key', 'alice.pub'])).exit).toBe(0);
});

test('a key service is reached through the program cosign, and its signature is checked before it counts', async () => {
  // Stands for cosign: takes the arguments that the real one takes, and signs with openssl under alice's key.
  const bin = join(cwd, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'cosign'), FAKE_COSIGN, { mode: 0o755 });
  const env = { COSIGN_PASSWORD: '', FAKE_KEY: join(cwd, 'service.pem') };
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(env.FAKE_KEY, privateKey.export({ format: 'pem', type: 'pkcs8' }));
  writeFileSync(join(cwd, 'service.pub'), publicKey.export({ format: 'pem', type: 'spki' }));
  const args = ['policy', 'sign', 'xcrepl.yaml', '--key', 'awskms:///alias/release', '-o', 'json'];
  expect((await run(args, { cwd, env })).stderr).toContain('XC-1406');
  const path = `${bin}:${dirname(process.execPath)}:/usr/bin:/bin`;
  const signed = await run(args, { cwd, env: { ...env, PATH: path } });
  expect(signed.exit, signed.stderr).toBe(0);
  expect((await xcrepl(['policy', 'verify', 'xcrepl.yaml', '--key', 'service.pub'])).exit).toBe(0);
  const broken = await run(args, { cwd, env: { ...env, PATH: path, FAKE_LIES: '1' } });
  expect(broken.stderr).toContain('XC-2030');
});

/** What the program relies on: `version --json`, `public-key --key`, and `sign-blob … --bundle FILE BLOB` without a log. */
const FAKE_COSIGN = `#!/usr/bin/env node
const { readFileSync, writeFileSync } = require('node:fs');
const { createPublicKey, sign } = require('node:crypto');
const [command, ...args] = process.argv.slice(2);
const of = (flag) => args[args.indexOf(flag) + 1];
const key = readFileSync(process.env.FAKE_KEY);
if (command === 'version') console.log('{"gitVersion": "v3.0.2"}');
else if (of('--key') !== 'awskms:///alias/release') throw new Error('no such key');
else if (command === 'public-key') console.log(createPublicKey(key).export({ format: 'pem', type: 'spki' }));
else if (command !== 'sign-blob' || !args.includes('--tlog-upload=false') || !args.includes('--use-signing-config=false') || !args.includes('--yes')) throw new Error(args.join(' '));
else {
  const blob = process.env.FAKE_LIES ? Buffer.from('other') : readFileSync(args.at(-1));
  writeFileSync(of('--bundle'), JSON.stringify({ messageSignature: { signature: sign('sha256', blob, key).toString('base64') } }));
}
`;
