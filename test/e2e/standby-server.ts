/** Real physical standbys of a pair's servers. */

import { appendFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { freePort } from '../../src/providers/lab/port.ts';
import {
  killServer,
  livingServer,
  startServer,
  stopServer,
  type Server,
} from '../../src/providers/lab/server.ts';
import { openDatabase, withDatabase, type TestDatabase } from '../harness/test-database.ts';
import { until } from './until.ts';

export interface Standby {
  readonly server: Server;
  /** Of the database that the pair uses. */
  readonly dsn: string;
  readonly database: TestDatabase;
}

const never = new AbortController().signal;
const DATABASE = 'postgres';

/**
 * A low-level backup (PostgreSQL documentation, 25.3.4): the server's programs bring no pg_basebackup. It streams over a
 * physical slot of its name.
 */
export const standbyOf = async (
  primary: Server,
  primaryDsn: string,
  name: string,
  settings: string,
  held: AsyncDisposableStack,
): Promise<Standby> => {
  const port = await freePort();
  const dataDirectory = `${primary.dataDirectory}-${name}`;
  const server: Server = { ...primary, name, port, dataDirectory, logFile: `${primary.logFile}-${name}` };
  const database = openDatabase('primary', withDatabase(primaryDsn, DATABASE));
  const backup = await database.connect();
  try {
    await backup.query(`SELECT pg_create_physical_replication_slot('${name}', true)`);
    await backup.query(`SELECT pg_backup_start('x', true)`);
    await execa('cp', ['-a', primary.dataDirectory, dataDirectory]);
    const { rows } = await backup.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
    await rm(join(dataDirectory, 'postmaster.pid'), { force: true });
    for (const part of ['pg_replslot', 'pg_wal'])
      for (const file of await readdir(join(dataDirectory, part)))
        if (!file.endsWith('.history') && file !== 'archive_status' && file !== 'summaries')
          await rm(join(dataDirectory, part, file), { recursive: true, force: true });
    await writeFile(join(dataDirectory, 'backup_label'), rows[0]!.labelfile);
    await writeFile(join(dataDirectory, 'standby.signal'), '');
  } finally {
    await backup.end();
    await database.close();
  }
  const { username, password } = new URL(primaryDsn);
  const conninfo = `host=127.0.0.1 port=${primary.port} user=${username} password=${password} dbname=${DATABASE}`;
  await appendFile(
    join(dataDirectory, 'postgresql.conf'),
    `\nport = ${port}\nprimary_conninfo = '${conninfo}'\nprimary_slot_name = '${name}'\nhot_standby_feedback = on\n${settings}\n`,
  );
  if (server.user) await execa('chown', ['-R', `${server.user.uid}:${server.user.gid}`, dataDirectory]);
  await startServer(server, never);
  held.defer(async () => {
    await stopServer(server);
    await rm(dataDirectory, { recursive: true, force: true });
  });
  const url = new URL(primaryDsn);
  url.port = String(port);
  const itself = openDatabase(name, url.href);
  held.defer(() => itself.close());
  return { server, dsn: url.href, database: itself };
};

/** Until the standby has replayed what the primary has written by now. */
export const caughtUp = async (primary: TestDatabase, { database }: Standby): Promise<void> => {
  const [now] = await primary.query<{ at: string }>('SELECT pg_current_wal_lsn()::text AS at');
  await until(
    'the standby has it all',
    async () => (await database.query(`SELECT WHERE pg_last_wal_replay_lsn() >= '${now!.at}'`)).length === 1,
  );
};

export const stopStandby = async ({ server }: Standby): Promise<void> => void (await stopServer(server));

/** The primary dies, and its standby takes over with what it has; one that was away comes back only then. */
export const promote = async (primary: Server, { server, database }: Standby): Promise<void> => {
  await killServer(primary);
  if ((await livingServer(server.dataDirectory)) === null) await startServer(server, never);
  await database.query('SELECT pg_promote()');
};
