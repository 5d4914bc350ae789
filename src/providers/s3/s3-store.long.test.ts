import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CephServer, startCeph, withoutCeph } from '../../../test/servers/ceph-rgw.ts';
import { storeFaultsContract } from '../../../test/objects/store-faults.contract.ts';
import { objectStoreContract } from '../../core/objects/object-store.contract.ts';
import { askSigned } from '../object-endpoint/ask-store.ts';
import { systemClock } from '../system/clock.ts';
import type { S3Address } from './s3-place.ts';
import { S3Store } from './s3-store.ts';

const reason = withoutCeph();

describe.skipIf(reason !== null)(`S3 against Ceph${reason === null ? '' : `: ${reason}`}`, () => {
  let server: CephServer;
  beforeAll(async () => {
    server = await startCeph();
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  const address = (prefix: string, bucket: string): S3Address => ({
    bucket,
    prefix,
    endpoint: server.endpoint,
    region: undefined,
    credentials: server.credentials,
    forcePathStyle: true,
    checksums: 'when-required',
    storageClass: undefined,
    encryption: undefined,
  });

  it('lets in who has the key, and nobody else', async () => {
    const bucket = `b-${randomUUID()}`;
    const client = new S3Client({ ...clientSettings(server), region: 'us-east-1' });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    client.destroy();
    const ask = async (more: Partial<S3Address>) => {
      const store = new S3Store({ ...address('', bucket), ...more }, systemClock);
      try {
        return await askSigned(store);
      } finally {
        await store.close();
      }
    };
    const credentials = { ...server.credentials, secretAccessKey: 'another' };
    expect(await ask({})).toEqual({ kind: 'listed' });
    expect(await ask({ credentials })).toMatchObject({ kind: 'refused', behaviour: 'auth' });
    expect(await ask({ bucket: 'b-none' })).toMatchObject({ kind: 'refused', behaviour: 'gone' });
  });

  objectStoreContract(
    'S3',
    async () => {
      const bucket = `b-${randomUUID()}`;
      const client = new S3Client({ ...clientSettings(server), region: 'us-east-1' });
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      client.destroy();
      return {
        store: new S3Store(address('', bucket), systemClock),
        beside: new S3Store(address('beside/', bucket), systemClock),
      };
    },
    { manyKeys: 2_100 },
  );

  storeFaultsContract('S3', async () => {
    const bucket = `b-${randomUUID()}`;
    const client = new S3Client({ ...clientSettings(server), region: 'us-east-1' });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    const wrong = { ...server.credentials, secretAccessKey: 'another' };
    return {
      port: Number(new URL(server.endpoint).port),
      checksSignatures: true,
      namesDamage: true,
      checksTime: true,
      open: ({ port, clock, signal, wrongKey }) => {
        const through = { ...address('', bucket), endpoint: `http://127.0.0.1:${port}` };
        const credentials = wrongKey === true ? wrong : server.credentials;
        return Promise.resolve(new S3Store({ ...through, credentials }, clock, signal));
      },
      leftovers: async () => {
        const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
        return Uploads.map(({ Key = '' }) => Key);
      },
    };
  });
});

const clientSettings = (server: CephServer) => ({
  endpoint: server.endpoint,
  forcePathStyle: true,
  credentials: server.credentials,
});
