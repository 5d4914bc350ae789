import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe } from 'vitest';
import { type CephServer, startCeph, withoutCeph } from '../../../test/servers/ceph-rgw.ts';
import { objectStoreContract } from '../../core/objects/object-store.contract.ts';
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
    checksums: 'when-required',
    storageClass: undefined,
    encryption: undefined,
  });

  objectStoreContract('S3', async () => {
    const bucket = `b-${randomUUID()}`;
    const client = new S3Client({ ...clientSettings(server), region: 'us-east-1' });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    client.destroy();
    return {
      store: new S3Store(address('', bucket), systemClock),
      beside: new S3Store(address('beside/', bucket), systemClock),
    };
  });
});

const clientSettings = (server: CephServer) => ({
  endpoint: server.endpoint,
  forcePathStyle: true,
  credentials: server.credentials,
});
