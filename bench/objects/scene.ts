/** One S3 server, and both programs set up for it: two addresses of it are two stores, between which bytes are streamed. */

import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCeph } from '../../test/servers/ceph-rgw.ts';
import { measureProcess, type MeasuredProcess } from './measured-process.ts';

const LAUNCHER = join(import.meta.dirname, '../../bin/xcrepl.js');

/** `here` and `there` are one server under two addresses; `disk` is a directory. */
export type Store = 'here' | 'there' | 'disk';

export interface ObjectScene extends AsyncDisposable {
  /** Makes files below the directory. */
  fill(prefix: string, objects: number, bytes: number): Promise<void>;
  ours(from: [Store, string], to: [Store, string], atOnce: number): Promise<MeasuredProcess>;
  rclone(from: [Store, string], to: [Store, string], atOnce: number): Promise<MeasuredProcess>;
}

const BUCKET = 'bench';

const side = (atOnce: number): string[] => [
  '--transfers',
  String(atOnce),
  '--checkers',
  String(atOnce),
  '--quiet',
];

export const openObjectScene = async (): Promise<ObjectScene> => {
  const directory = await mkdtemp(join(tmpdir(), 'xcrepl-bench-objects-'));
  const ceph = await startCeph();
  const { accessKeyId, secretAccessKey } = ceph.credentials;
  const endpoints = { here: ceph.endpoint, there: ceph.endpoint.replace('127.0.0.1', 'localhost') };
  const client = new S3Client({
    endpoint: ceph.endpoint,
    forcePathStyle: true,
    region: 'us-east-1',
    credentials: ceph.credentials,
  });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  client.destroy();
  const credentials = '{ accessKeyId: env:S3_ID, secretAccessKey: env:S3_KEY }';
  const region = (name: keyof typeof endpoints): string =>
    `  ${name}: { zone: us, objects: { kind: s3, endpoint: "${endpoints[name]}", bucket: ${BUCKET}, credentials: ${credentials} } }\n`;
  await writeFile(
    join(directory, 'xcrepl.yaml'),
    `schemaVersion: 1\ncontrolPlane: bench\nenvironment: staging\nregions:\n${region('here')}${region('there')}  disk: { zone: us, objects: { kind: local, path: disk } }\n`,
  );
  const remote = (name: keyof typeof endpoints): Record<string, string> => {
    const prefix = `RCLONE_CONFIG_${name.toUpperCase()}`;
    return {
      [`${prefix}_TYPE`]: 's3',
      [`${prefix}_PROVIDER`]: 'Ceph',
      [`${prefix}_ENDPOINT`]: endpoints[name],
      [`${prefix}_ACCESS_KEY_ID`]: accessKeyId,
      [`${prefix}_SECRET_ACCESS_KEY`]: secretAccessKey,
    };
  };
  const env = {
    S3_ID: accessKeyId,
    S3_KEY: secretAccessKey,
    RCLONE_CONFIG: join(directory, 'rclone.conf'),
    ...remote('here'),
    ...remote('there'),
  };
  await writeFile(env.RCLONE_CONFIG, '');
  const address = ([store, prefix]: [Store, string]): string =>
    store === 'disk' ? join(directory, 'disk', prefix) : `${store}:${BUCKET}/${prefix}`;
  return {
    async fill(prefix, objects, bytes) {
      await mkdir(join(directory, 'disk', prefix), { recursive: true });
      for (let at = 0; at < objects; at += 1)
        await writeFile(join(directory, 'disk', prefix, String(at).padStart(6, '0')), randomBytes(bytes));
    },
    ours: async (from, to, atOnce) => {
      const places = [`${from[0]}:${from[1]}/`, `${to[0]}:${to[1]}/`];
      const args = [LAUNCHER, 'objects', 'sync', ...places, ...side(atOnce), '--progress', 'none'];
      return await measureProcess(process.execPath, args, { cwd: directory, env });
    },
    rclone: async (from, to, atOnce) => {
      const args = [
        'sync',
        '--checksum',
        '--s3-no-check-bucket',
        address(from),
        address(to),
        ...side(atOnce),
      ];
      return await measureProcess('rclone', args, { cwd: directory, env });
    },
    async [Symbol.asyncDispose]() {
      await ceph[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
};
