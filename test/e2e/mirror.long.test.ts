/** Mirrors between real stores of different clouds, through the program: S3 (Ceph) and Azure Blob (Azurite). */

import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { folder, run, start, type Folder } from '../cli/spawn.ts';
import { startAzurite, type AzuriteServer } from '../servers/azurite.ts';
import { startCeph, withoutCeph, type CephServer } from '../servers/ceph-rgw.ts';

const reason = withoutCeph();
const MIB = 2 ** 20;

const CONFIG = `schemaVersion: 1
controlPlane: acme
environment: staging
regions:
  aws:
    zone: us
    objects:
      { kind: s3, endpoint: env:S3, bucket: acme, credentials: { accessKeyId: env:S3_ID, secretAccessKey: env:S3_KEY } }
  copy:
    zone: us
    objects:
      { kind: s3, endpoint: env:S3, bucket: copy, credentials: { accessKeyId: env:S3_ID, secretAccessKey: env:S3_KEY } }
  azure:
    zone: eu
    objects: { kind: azure, endpoint: env:AZURE, account: xcrepltest, container: acme, credentials: { accountKey: env:AZURE_KEY } }
`;

interface Report {
  readonly exit: number;
  readonly mirrors: readonly {
    readonly outcome: string;
    readonly result: Readonly<Record<string, number>> | null;
    readonly failures: readonly unknown[];
  }[];
}

describe.skipIf(reason !== null)(
  `mirrors between S3 and Azure${reason === null ? '' : `: ${reason}`}`,
  () => {
    let ceph: CephServer;
    let azurite: AzuriteServer;
    let place: Folder;
    let env: Record<string, string>;
    let s3: S3Client;
    /** sha256 by key of what lies below data/ at the source. */
    const wanted = new Map<string, string>();

    beforeAll(async () => {
      [ceph, azurite, place] = await Promise.all([startCeph(), startAzurite(), folder()]);
      await place.write('xcrepl.yaml', CONFIG);
      env = {
        S3: ceph.endpoint,
        S3_ID: ceph.credentials.accessKeyId,
        S3_KEY: ceph.credentials.secretAccessKey,
        AZURE: azurite.endpoint,
        AZURE_KEY: azurite.credentials.key,
      };
      s3 = new S3Client({
        endpoint: ceph.endpoint,
        forcePathStyle: true,
        region: 'us-east-1',
        credentials: ceph.credentials,
        requestChecksumCalculation: 'WHEN_REQUIRED',
      });
      for (const Bucket of ['acme', 'copy']) await s3.send(new CreateBucketCommand({ Bucket }));
      const { account, key } = azurite.credentials;
      const azure = new BlobServiceClient(azurite.endpoint, new StorageSharedKeyCredential(account, key));
      await azure.createContainer('acme');
      const small = Array.from({ length: 30 }, (_, at): [string, number] => [`small/${at}`, 1_000 + at]);
      for (const [key, bytes] of [...small, ['empty', 0], ['a +&é/😀', 7], ['large', 37 * MIB + 1]] as const)
        await put(key, randomBytes(bytes));
    });
    afterAll(async () => {
      s3?.destroy();
      await Promise.all([ceph, azurite, place].map(async (one) => await one?.[Symbol.asyncDispose]()));
    });

    /** By another program: without any digest of ours. */
    const put = async (key: string, body: Uint8Array): Promise<void> => {
      await s3.send(new PutObjectCommand({ Bucket: 'acme', Key: `data/${key}`, Body: body }));
      wanted.set(key, createHash('sha256').update(body).digest('hex'));
    };
    const xcrepl = async (...args: string[]) => await run(args, { cwd: place.path, env });
    const reported = async (...args: string[]): Promise<Report> => {
      const ended = await xcrepl(...args, '-o', 'json');
      try {
        return JSON.parse(ended.stdout) as Report;
      } catch {
        throw new Error(`exit ${ended.exit}: ${ended.stdout}${ended.stderr}`);
      }
    };
    const equal = async (...places: string[]): Promise<void> => {
      const { exit, stdout, stderr } = await xcrepl(
        'objects',
        'check',
        ...places,
        '--download',
        '--combined',
      );
      expect({
        exit,
        stderr,
        signs: new Set(stdout.split('\n').map((line) => line.slice(0, 1))),
      }).toMatchObject({
        exit: 0,
        signs: new Set(['=', '']),
      });
      expect(stdout.split('\n')).toHaveLength(wanted.size + 1);
    };

    test('S3 to Azure, killed in the middle, goes on; then there is nothing to do', async () => {
      const places = ['aws:data/', 'azure:data/'];
      const first = start(['objects', 'sync', ...places, '--bwlimit', '8MiB'], { cwd: place.path, env });
      // Until the large object is on its way: which upload that is stands in the store.
      const { account, key } = azurite.credentials;
      const azure = new BlobServiceClient(azurite.endpoint, new StorageSharedKeyCredential(account, key));
      const blob = azure.getContainerClient('acme').getBlockBlobClient('data/large');
      const staged = async (): Promise<number> => {
        const list = await blob.getBlockList('uncommitted').catch(() => null);
        return (list?.uncommittedBlocks ?? []).reduce((sum, { size }) => sum + size, 0);
      };
      while (first.child.exitCode === null && (await staged()) < 16 * MIB) await sleep(50);
      expect(first.child.exitCode).toBeNull();
      first.child.kill('SIGKILL');
      await first.ended;
      const there = await staged();
      const resumed = await reported('objects', 'sync', ...places);
      expect(resumed).toMatchObject({ exit: 0, mirrors: [{ outcome: 'done', failures: [] }] });
      expect(resumed.mirrors[0]!.result!['bytesSent']).toBeLessThanOrEqual(37 * MIB + 1 - there + 30 * 2_000);
      await equal(...places);
      expect((await reported('objects', 'sync', ...places)).mirrors[0]).toMatchObject({
        outcome: 'no-change',
      });
    });

    test('Azure back to S3, where the store attests what one request wrote', async () => {
      const places = ['azure:data/', 'copy:back/'];
      const report = await reported('objects', 'sync', ...places);
      expect(report).toMatchObject({ exit: 0, mirrors: [{ result: { copied: wanted.size, readBack: 1 } }] });
      expect(report.mirrors[0]!.result!['attested']).toBe(wanted.size - 1);
      await equal(...places);
      await equal('aws:data/', 'copy:back/');
    });

    test('inside S3 no byte passes through here; an object that changes is found and replaced', async () => {
      const places = ['copy:back/', 'aws:again/'];
      const report = await reported('objects', 'sync', ...places);
      expect(report).toMatchObject({ exit: 0, mirrors: [{ result: { copied: wanted.size } }] });
      // Of the large one, which went in parts, nobody could record the digest before it was sent.
      expect(report.mirrors[0]!.result!['bytesSent']).toBeLessThanOrEqual(37 * MIB + 1);
      await equal(...places);
      await s3.send(new PutObjectCommand({ Bucket: 'acme', Key: 'again/small/3', Body: randomBytes(1_003) }));
      const check = await xcrepl('objects', 'check', ...places, '--combined', '--download');
      expect(check).toMatchObject({ exit: 6 });
      expect(check.stdout).toContain('* small/3\n');
      expect(await reported('objects', 'sync', ...places)).toMatchObject({
        exit: 0,
        mirrors: [{ result: { replaced: 1, copied: 0, deleted: 0 } }],
      });
      await equal(...places);
    });
  },
);
