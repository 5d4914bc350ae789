/** Manifests on disk: what is in force, and every way in which one is not. */

import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { approvalBytes } from '../../core/signing/approval-statement.ts';
import { configSchema, type ConfigInput } from '../../core/config/schema.ts';
import type { LoadedConfig } from '../../core/config/loaded.ts';
import { POINTER_MEDIA_TYPE, pointerBytes } from '../../core/signing/pointer.ts';
import type { Signer } from '../../core/signing/signing.ts';
import { STATEMENT_MEDIA_TYPE } from '../../core/signing/statement.ts';
import { bundles } from '../../providers/cosign/bundles.ts';
import { signerOf } from '../../providers/cosign/signing-key.ts';
import { rememberVersions } from './known-versions.ts';
import { inForce } from './manifests.ts';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const DAY = 24 * 3_600_000;
const keys = Object.fromEntries(
  ['dpo', 'alice', 'bob', 'stranger'].map((name) => [
    name,
    signerOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
  ]),
) as Record<'dpo' | 'alice' | 'bob' | 'stranger', Signer>;

let cwd = '';
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'xcrepl-manifests-'));
  for (const [name, { publicKey }] of Object.entries(keys))
    await writeFile(join(cwd, `${name}.pub`), publicKey);
});
afterEach(() => rm(cwd, { recursive: true }));

const loaded = (more: Partial<ConfigInput> = {}, mode: 'live' | 'simulation' = 'live'): LoadedConfig => ({
  config: configSchema.parse({
    schemaVersion: 1,
    controlPlane: 'acme',
    regions: { us: { zone: 'us', initialRole: 'primary' }, eu: { zone: 'eu' } },
    rules: [{ id: 'shop', tenants: ['beta'], tables: ['shop.*'], from: 'us', to: ['eu'] }],
    signing: {
      publicKeys: {
        dpo: { file: 'dpo.pub', scopes: ['manifest', 'pii:replicate', 'approve'] },
        alice: { file: 'alice.pub', scopes: ['approve'] },
        bob: { file: 'bob.pub', scopes: ['approve'] },
      },
      manifests: '.',
      approvals: { required: 2 },
    },
    ...more,
  } satisfies ConfigInput),
  digest: 'sha256:0',
  path: null,
  mode,
  missing: [],
  replicationWindowMs: 0,
});

const manifest = (version: number, more = ''): string => `schemaVersion: 1
kind: tenant
controlPlane: acme
version: ${version}
tenant:
  beta:
    scope: { kind: schema, schema: beta${version} }
${more}`;

const file = (): string => join(cwd, 'beta.yaml');

const publish = async (version: number, by: Signer = keys.dpo, expiresMs = NOW + DAY): Promise<void> => {
  const bytes = Buffer.from(manifest(version));
  await writeFile(file(), bytes);
  await writeFile(`${file()}.sigstore.json`, await bundles.signBlob(bytes, by));
  const { createHash } = await import('node:crypto');
  const pointer = {
    schemaVersion: 1 as const,
    name: 'tenant/beta',
    version,
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    expires: new Date(expiresMs).toISOString(),
  };
  const envelope = await bundles.signEnvelope(pointerBytes(pointer), POINTER_MEDIA_TYPE, by);
  await writeFile(`${file()}.latest.json`, envelope);
};

const read = (of: LoadedConfig = loaded()) => inForce(of, { cwd, nowMs: NOW });
const code = (wanted: string) => expect.objectContaining({ code: wanted }) as Error;

it('a signed manifest brings a tenant that rules name, and changes the digest that plans carry', async () => {
  await publish(3);
  const now = await read();
  expect(now.config.tenants['beta']?.scope).toEqual({ kind: 'schema', schema: 'beta3' });
  expect(now.digest).not.toBe('sha256:0');
  expect(now.manifests).toMatchObject([
    {
      id: 'tenant/beta',
      signedBy: 'dpo',
      version: 3,
      approved: false,
      scopes: expect.arrayContaining(['pii:replicate']) as string[],
    },
  ]);
});

it('wins over the tenant of the file', async () => {
  await publish(1);
  const of = loaded({ tenants: { beta: { scope: { kind: 'schema', schema: 'file' } } } });
  expect((await read(of)).config.tenants['beta']?.scope).toEqual({ kind: 'schema', schema: 'beta1' });
});

it('is approved by as many others as are required', async () => {
  await publish(1);
  const digest = (await read()).manifests![0]!.digest;
  for (const name of ['dpo', 'alice'] as const)
    await writeFile(
      `${file()}.approval.${name}.json`,
      await bundles.signEnvelope(
        approvalBytes({ subject: 'm', digest }, NOW, DAY),
        STATEMENT_MEDIA_TYPE,
        keys[name],
      ),
    );
  // The signer's own approval does not count.
  expect((await read()).manifests).toMatchObject([{ approved: false }]);
  await writeFile(
    `${file()}.approval.bob.json`,
    await bundles.signEnvelope(
      approvalBytes({ subject: 'm', digest }, NOW, DAY),
      STATEMENT_MEDIA_TYPE,
      keys.bob,
    ),
  );
  expect((await read()).manifests).toMatchObject([{ approved: true }]);
});

it.each<[string, string, () => Promise<void>]>([
  ['no signature', 'XC-2034', () => publish(1).then(() => rm(`${file()}.sigstore.json`))],
  ['no pointer', 'XC-2034', () => publish(1).then(() => rm(`${file()}.latest.json`))],
  ['a key that may not', 'XC-2042', () => publish(1, keys.alice)],
  ['a key that nobody knows', 'XC-2042', () => publish(1, keys.stranger)],
  [
    'bytes changed after signing',
    'XC-2030',
    () => publish(1).then(() => writeFile(file(), manifest(1, '# more'))),
  ],
  ['an expired pointer', 'XC-2040', () => publish(1, keys.dpo, NOW)],
  [
    'a pointer to another version',
    'XC-2041',
    async () => {
      await publish(2);
      const pointer = await readFile(`${file()}.latest.json`);
      await publish(1);
      await writeFile(`${file()}.latest.json`, pointer);
    },
  ],
  [
    'an older version than was in force',
    'XC-2039',
    async () => {
      await publish(2);
      await rememberVersions(cwd, (await read()).manifests!);
      await publish(1);
    },
  ],
  ['an unknown key', 'XC-1403', () => writeFile(file(), manifest(1, 'colour: red\n'))],
])('with %s it is refused: %s', async (_what, wanted, arrange) => {
  await arrange();
  await expect(read()).rejects.toThrow(code(wanted));
});

it('in simulation one without a signature is taken, and says so; one that was tampered with is not', async () => {
  await writeFile(file(), manifest(1));
  const now = await read(loaded({}, 'simulation'));
  expect(now.config.tenants['beta']).toBeDefined();
  expect(now.manifests).toMatchObject([
    { signedBy: null, problem: 'there is no signature', approved: false },
  ]);
  await publish(1);
  await writeFile(file(), manifest(2));
  await expect(read(loaded({}, 'simulation'))).rejects.toThrow(code('XC-2030'));
});
