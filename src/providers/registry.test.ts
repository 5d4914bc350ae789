import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { objects, type ObjectsConfig } from '../core/config/objects-schema.ts';
import { XcError } from '../core/errors/xc-error.ts';
import type { StoreParts } from '../core/objects/store-place.ts';
import { azureAddress } from './azure/open-azure.ts';
import { gcsAddress } from './gcs/open-gcs.ts';
import { openObjectStore } from './registry.ts';
import { s3Address } from './s3/open-s3.ts';
import { systemClock } from './system/clock.ts';

const secrets: Readonly<Record<string, string>> = {
  'env:ID': 'AKIA',
  'env:KEY': 'k3y',
  'env:TOKEN': 't0ken',
  'env:URL': 'https://s3.example',
  'env:SAS': '?sv=2024&sig=abc',
  'env:CONNECTION':
    'DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=a2V5PT0=;EndpointSuffix=blob.example',
  'env:GOOGLE': '{"type":"service_account","client_email":"a@b","private_key":"pem"}',
};

const parts = (directory = '/'): StoreParts => ({
  clock: systemClock,
  directory,
  secret: (reference) => {
    const value = secrets[reference];
    return value === undefined
      ? Promise.reject(new XcError('XC-1005', { subject: reference }))
      : Promise.resolve(value);
  },
});

const parsed = <K extends ObjectsConfig['kind']>(config: { kind: K; [key: string]: unknown }) =>
  objects.parse(config) as Extract<ObjectsConfig, { kind: K }>;

it('reads every setting of S3', async () => {
  const config = parsed({
    kind: 's3',
    endpoint: 'env:URL',
    bucket: 'b',
    prefix: 'p/',
    region: 'eu-west-1',
    credentials: { accessKeyId: 'env:ID', secretAccessKey: 'env:KEY', sessionToken: 'env:TOKEN' },
    storageClass: 'STANDARD_IA',
    encryption: { kind: 'kms', keyId: 'arn:aws:kms:…' },
    tenants: { umbra: { bucket: 'umbra' }, beta: { prefix: 'elsewhere/' } },
  });
  expect(await s3Address(config, 'acme', parts())).toEqual({
    bucket: 'b',
    prefix: 'p/acme/',
    endpoint: 'https://s3.example',
    region: 'eu-west-1',
    credentials: { accessKeyId: 'AKIA', secretAccessKey: 'k3y', sessionToken: 't0ken' },
    forcePathStyle: true,
    checksums: 'when-required',
    storageClass: 'STANDARD_IA',
    encryption: { kind: 'kms', keyId: 'arn:aws:kms:…' },
  });
  expect(await s3Address(config, 'umbra', parts())).toMatchObject({ bucket: 'umbra', prefix: 'p/' });
  expect(await s3Address(config, 'beta', parts())).toMatchObject({ bucket: 'b', prefix: 'elsewhere/' });
  expect(await s3Address(config, null, parts())).toMatchObject({ bucket: 'b', prefix: 'p/' });
});

it('takes for AWS itself what AWS has', async () => {
  const own = await s3Address(parsed({ kind: 's3', bucket: 'b' }), null, parts());
  expect(own).toMatchObject({ endpoint: undefined, credentials: undefined });
  expect(own).toMatchObject({ forcePathStyle: false, checksums: 'when-supported' });
  const other = parsed({ kind: 's3', bucket: 'b', forcePathStyle: true, checksums: 'when-required' });
  expect(await s3Address(other, null, parts())).toMatchObject({
    forcePathStyle: true,
    checksums: 'when-required',
  });
});

it('reads a service account of Google', async () => {
  const config = parsed({
    kind: 'gcs',
    bucket: 'b',
    credentials: { keyFile: 'env:GOOGLE' },
    kmsKey: 'projects/…',
    storageClass: 'NEARLINE',
  });
  expect(await gcsAddress(config, null, parts())).toEqual({
    bucket: 'b',
    prefix: '',
    endpoint: undefined,
    credentials: { client_email: 'a@b', private_key: 'pem' },
    storageClass: 'NEARLINE',
    kmsKeyName: 'projects/…',
  });
  const wrong = parsed({ kind: 'gcs', bucket: 'b', credentials: { keyFile: 'env:KEY' } });
  const refused = await gcsAddress(wrong, null, parts()).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'XC-1060' });
  expect(String(refused)).not.toContain('k3y');
});

const azure = (more: object) => parsed({ kind: 'azure', container: 'c', ...more });

it.each([
  [
    { account: 'acme', credentials: { accountKey: 'env:KEY' } },
    { endpoint: 'https://acme.blob.core.windows.net', credentials: { account: 'acme', key: 'k3y' } },
  ],
  [
    { endpoint: 'http://127.0.0.1:10000/devstoreaccount1', credentials: { accountKey: 'env:KEY' } },
    {
      endpoint: 'http://127.0.0.1:10000/devstoreaccount1',
      credentials: { account: 'devstoreaccount1', key: 'k3y' },
    },
  ],
  [
    { account: 'acme', credentials: { sas: 'env:SAS' } },
    { endpoint: 'https://acme.blob.core.windows.net?sv=2024&sig=abc', credentials: undefined },
  ],
  [
    { credentials: { connectionString: 'env:CONNECTION' }, encryptionScope: 's', storageClass: 'Cool' },
    {
      endpoint: 'https://acme.blob.blob.example',
      credentials: { account: 'acme', key: 'a2V5PT0=' },
      encryptionScope: 's',
      storageClass: 'Cool',
    },
  ],
])('%# reads an address of Azure', async (config, address) => {
  expect(await azureAddress(azure(config), null, parts())).toMatchObject(address);
});

it('says what an address of Azure lacks', async () => {
  await expect(azureAddress(azure({}), null, parts())).rejects.toMatchObject({ code: 'XC-1060' });
  const wrong = azure({ credentials: { connectionString: 'env:KEY' } });
  await expect(azureAddress(wrong, null, parts())).rejects.toMatchObject({ code: 'XC-1060' });
});

it('opens what each kind names, and keeps tenants apart in it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'xcrepl-registry-'));
  const local = parsed({ kind: 'local', path: 'store', prefix: 'deep' });
  const places = await Promise.all(
    [
      [parsed({ kind: 's3', bucket: 'b' }), 'acme'] as const,
      [parsed({ kind: 'gcs', bucket: 'b', endpoint: 'http://localhost:1' }), null] as const,
      [azure({ endpoint: 'https://acme.blob.core.windows.net?sig=1' }), 'acme'] as const,
      [local, null] as const,
      [local, 'acme'] as const,
    ].map(async ([config, tenant]) => {
      const store = await openObjectStore(config, tenant, parts(directory));
      await store.close();
      return store.place;
    }),
  );
  expect(places).toEqual([
    's3:b/acme/',
    'gcs:b',
    'azure:c/acme/',
    `local:${directory}/store/deep`,
    `local:${directory}/store/deep/acme`,
  ]);
});

it('opens a memory store twice as one, and another one for each tenant', async () => {
  const config = parsed({ kind: 'memory' });
  const [one, same, other] = [
    await openObjectStore(config, 'a', parts()),
    await openObjectStore(config, 'a', parts()),
    await openObjectStore(config, 'b', parts()),
  ];
  expect(same).toBe(one);
  expect(other).not.toBe(one);
});
