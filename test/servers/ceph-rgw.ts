/**
 * A real S3 server on loopback: Ceph's object gateway over one monitor and one object store daemon that keeps everything
 * in memory (Ceph documentation, "Manual Deployment"). Needs the Debian packages radosgw, ceph-mon and ceph-osd, and root.
 */

import { execa } from 'execa';
import { randomUUID } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, type GuardedProcess, startGuarded } from './guarded-process.ts';

export interface CephServer extends AsyncDisposable {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const PROGRAMS = ['radosgw', 'radosgw-admin', 'ceph-mon', 'ceph-osd', 'ceph', 'monmaptool', 'ceph-authtool'];

const onPath = (program: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Why there can be no such server here, or null. */
export const withoutCeph = (): string | null => {
  const missing = PROGRAMS.filter((program) => !onPath(program));
  if (missing.length > 0) return `Ceph is not installed (${missing[0]}; Debian: radosgw ceph-mon ceph-osd)`;
  return process.getuid?.() === 0 ? null : 'Ceph is started by root only';
};

const settings = (directory: string, fsid: string, ports: { gateway: number; mon: number }): string => `
[global]
fsid = ${fsid}
mon_host = [v2:127.0.0.1:${ports.mon}]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
public_network = 127.0.0.0/8
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_data_avail_crit = 1
run_dir = ${directory}
admin_socket = ${directory}/$cluster-$name.asok
log_file = ${directory}/$name.log
mon_data = ${directory}/mon
osd_data = ${directory}/osd
keyring = ${directory}/keyring
osd_objectstore = memstore
memstore_device_bytes = 4294967296
osd_op_queue = wpq
osd_class_load_list = *
osd_class_default_list = *
rgw_frontends = beast endpoint=127.0.0.1:${ports.gateway}
rgw_dns_name = localhost
rgw_data = ${directory}/rgw
rgw_run_sync_thread = false
`;

const run = async (program: string, ...args: string[]): Promise<string> =>
  (await execa(program, args, { timeout: 60_000 })).stdout;

/** Ready in some 15 s. */
export const startCeph = async (): Promise<CephServer> => {
  const directory = await mkdtemp(join(tmpdir(), 'xcrepl-ceph-'));
  const ports = { gateway: await freePort(), mon: await freePort() };
  const fsid = randomUUID();
  const conf = join(directory, 'ceph.conf');
  const keyring = join(directory, 'keyring');
  const map = join(directory, 'monmap');
  await mkdir(join(directory, 'mon'));
  await mkdir(join(directory, 'osd'));
  await writeFile(conf, settings(directory, fsid, ports));
  await run(
    'ceph-authtool',
    '--create-keyring',
    keyring,
    '--gen-key',
    '-n',
    'mon.',
    '--cap',
    'mon',
    'allow *',
  );
  const admin = ['--cap', 'mon', 'allow *', '--cap', 'osd', 'allow *', '--cap', 'mgr', 'allow *'];
  await run('ceph-authtool', keyring, '--gen-key', '-n', 'client.admin', ...admin);
  await run('monmaptool', '--create', '--fsid', fsid, '--addv', 'a', `[v2:127.0.0.1:${ports.mon}]`, map);
  await run('ceph-mon', '-c', conf, '--mkfs', '-i', 'a', '--monmap', map, '--keyring', keyring);

  const servers: GuardedProcess[] = [];
  const serve = (program: string, ...args: string[]): void => {
    servers.push(startGuarded(program, ['-c', conf, '-f', ...args], join(directory, `${program}.out`)));
  };
  serve('ceph-mon', '-i', 'a');
  const ceph = async (...args: string[]): Promise<string> =>
    await run('ceph', '-c', conf, '--connect-timeout', '30', ...args);
  await ceph('osd', 'create');
  const caps = ['mon', 'allow profile osd', 'osd', 'allow *', 'mgr', 'allow *'];
  await appendFile(keyring, `\n${await ceph('auth', 'get-or-create', 'osd.0', ...caps)}\n`);
  await run('ceph-osd', '-c', conf, '-i', '0', '--mkfs', '--no-mon-config', '--osd-uuid', randomUUID());
  await ceph('osd', 'crush', 'add', '0', '1.0', 'host=h', 'root=default');
  serve('ceph-osd', '--no-mon-config', '-i', '0');
  while (!(await ceph('osd', 'stat')).includes('1 up')) await sleep(200);
  serve('radosgw', '-n', 'client.admin');
  const endpoint = `http://127.0.0.1:${ports.gateway}`;
  while (!(await fetch(endpoint).catch(() => null))?.ok) await sleep(100);
  const credentials = { accessKeyId: 'XCREPLTESTKEY0000001', secretAccessKey: randomUUID() };
  const keys = ['--access-key', credentials.accessKeyId, '--secret-key', credentials.secretAccessKey];
  const user = ['--uid=xcrepl', '--display-name=xcrepl', ...keys];
  await run('radosgw-admin', '-c', conf, '-n', 'client.admin', 'user', 'create', ...user);
  return {
    endpoint,
    credentials,
    async [Symbol.asyncDispose]() {
      for (const server of servers.toReversed()) await server[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
};
