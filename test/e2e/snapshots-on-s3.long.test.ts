/** Snapshots in a real S3: created in parts larger than one request, verified, and restored. */

import { CreateBucketCommand, DeleteObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import type { Manifest } from '../../src/core/snapshot/manifest.ts';
import { makePair } from '../harness/pair.ts';
import { PASSPHRASE, writeKeys } from '../harness/signing-keys.ts';
import { tableDigest } from '../harness/table-digest.ts';
import { startCeph, withoutCeph } from '../servers/ceph-rgw.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';

const reason = withoutCeph();

test.skipIf(reason !== null)(
  `a snapshot in Ceph is made, verified and restored${reason === null ? '' : `: ${reason}`}`,
  async () => {
    await using server = await startCeph();
    const client = new S3Client({
      endpoint: server.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: server.credentials,
    });
    await client.send(new CreateBucketCommand({ Bucket: 'snapshots' }));
    const objects = {
      kind: 's3' as const,
      endpoint: server.endpoint,
      bucket: 'snapshots',
      credentials: { accessKeyId: 'env:S3_ID', secretAccessKey: 'env:S3_KEY' },
    };
    await using pair = await makePair({
      fixture: 'empty',
      sql: 'CREATE SCHEMA app; CREATE TABLE app.notes (tenant_id text, id int, body text, PRIMARY KEY (tenant_id, id))',
      config: (config) => ({
        ...config,
        cosign: { key: 'bob.key' },
        signing: { publicKeys: { bob: { file: 'bob.pub', scopes: ['snapshot'] } } },
        tenants: { acme: { scope: { kind: 'column', column: 'tenant_id', value: 'acme' } } },
        rules: [
          { id: 'app', tenants: ['acme'], tables: ['app.*'], from: SOURCE_REGION, to: [TARGET_REGION] },
        ],
        regions: Object.fromEntries(
          Object.entries(config.regions).map(([name, region]) => [
            name,
            name === SOURCE_REGION ? { ...region, objects } : region,
          ]),
        ),
      }),
    });
    await writeKeys(pair.directory, 'bob');
    await pair.source.query(
      `INSERT INTO app.notes SELECT 'acme', i, repeat(md5(i::text), 40) FROM generate_series(1, 30000) AS i`,
    );
    const env = {
      COSIGN_PASSWORD: PASSPHRASE,
      S3_ID: server.credentials.accessKeyId,
      S3_KEY: server.credentials.secretAccessKey,
    };
    const snapshot = (...args: readonly string[]) =>
      pair.xcrepl(['snapshot', ...args, '-o', 'json'], { env });
    expect((await pair.xcrepl(['init', '--region', TARGET_REGION], { env })).exitCode).toBe(0);
    const create = `create --region ${SOURCE_REGION} --tenant acme --compress none --chunk-bytes 24MiB`;
    const made = await snapshot(...create.split(' '));
    expect(made.exitCode, made.stderr).toBe(0);
    const { id } = made.json() as { id: string };
    const verified = await snapshot('verify', id);
    expect([verified.exitCode, verified.stderr]).toEqual([0, expect.any(String)]);
    const restored = await snapshot('restore', id, '--to', TARGET_REGION);
    expect(restored.exitCode, restored.stderr).toBe(0);
    expect(await tableDigest(pair.target, 'app.notes')).toEqual(await tableDigest(pair.source, 'app.notes'));
    const { parts } = (await snapshot('show', id)).json() as Manifest;
    await client.send(new DeleteObjectCommand({ Bucket: 'snapshots', Key: `acme/${parts[0]?.key}` }));
    const broken = await snapshot('verify', id);
    expect(broken.exitCode).toBe(6);
    expect(broken.json()).toMatchObject({ faults: [{ fault: 'missing', code: 'XC-5412' }] });
    client.destroy();
  },
);
