/**
 * Two real servers for a benchmark, which flush to disk as a customer's do. Settings are the defaults but for what would
 * make two measurements of a pair differ: no checkpoint and no vacuum starts by itself.
 */

import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { labDown, labUp } from '../../src/providers/lab/lab.ts';
import { dsnOfRegion } from '../../src/providers/lab/lab-region.ts';
import { openDatabase, withDatabase, type TestDatabase } from '../../test/harness/test-database.ts';
import { runDirectory } from '../../test/servers/run-directory.ts';
import { SOURCE_REGION, TARGET_REGION } from '../../test/servers/server-pair.ts';

const SETTINGS = {
  autovacuum: 'off',
  checkpoint_timeout: '1h',
  max_wal_size: '16GB',
  // A receiver that is held longer than this is not dead.
  wal_sender_timeout: '0',
  wal_receiver_timeout: '0',
  max_connections: '100',
};

export interface Servers extends AsyncDisposable {
  /** Makes databases that are closed and dropped with the servers; the statements run in each. */
  sourceDatabase(name: string, sql: string): Promise<TestDatabase>;
  targetDatabase(name: string, sql: string): Promise<TestDatabase>;
}

export const startServers = async (): Promise<Servers> => {
  const directory = await mkdtemp(join(await runDirectory(), 'bench-'));
  const { lab } = await labUp(
    {
      directory,
      regions: [SOURCE_REGION, TARGET_REGION],
      pgMajor: 18,
      via: 'tcp',
      durable: true,
      settings: SETTINGS,
    },
    new AbortController().signal,
  );
  const [source, target] = await Promise.all(lab.regions.map((region) => dsnOfRegion(region)));
  const open: TestDatabase[] = [];
  const make = async (region: string, dsn: string, name: string, sql: string): Promise<TestDatabase> => {
    const client = new Client({ connectionString: withDatabase(dsn, 'postgres') });
    await client.connect();
    await client.query(`CREATE DATABASE ${name}`);
    await client.end();
    const database = openDatabase(region, withDatabase(dsn, name));
    open.push(database);
    await database.query(sql);
    return database;
  };
  return {
    sourceDatabase: (name, sql) => make(SOURCE_REGION, source!, name, sql),
    targetDatabase: (name, sql) => make(TARGET_REGION, target!, name, sql),
    async [Symbol.asyncDispose]() {
      await Promise.all(open.map((database) => database.close()));
      await labDown(directory);
    },
  };
};
