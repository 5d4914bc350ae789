/**
 * Databases made from templates: what a test starts with is built once a server, and cloned for each test.
 */

import { createHash } from 'node:crypto';
import { Client } from 'pg';
import type { PairServer } from '../servers/server-pair.ts';
import { withDatabase } from './test-database.ts';

export interface Template {
  /** Names the content: the same key must mean the same content. */
  readonly key: string;
  readonly fill: (client: Client) => Promise<void>;
}

/** Several tests of a file may ask for the same template at once. */
const building = new Map<string, Promise<string>>();
let clones = 0;

/** Clones the template into a database of a new name, which it returns. */
export const cloneTemplate = async (server: PairServer, template: Template): Promise<string> => {
  const source = await templateDatabase(server, template);
  const database = `t_${process.pid}_${clones++}`;
  await onServer(server, (client) => client.query(`CREATE DATABASE ${database} TEMPLATE ${source}`));
  return database;
};

const templateDatabase = (server: PairServer, template: Template): Promise<string> => {
  const name = `tpl_${createHash('sha256').update(template.key).digest('hex').slice(0, 12)}`;
  const key = `${server.dsn} ${name}`;
  const there = building.get(key) ?? build(server, name, template);
  building.set(key, there);
  return there;
};

/** Filled under another name, so that one cut short is never cloned. */
const build = (server: PairServer, name: string, template: Template): Promise<string> =>
  onServer(server, async (client) => {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount !== 0) return name;
    await client.query(`DROP DATABASE IF EXISTS ${name}_draft WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${name}_draft`);
    await onServer(server, template.fill, `${name}_draft`);
    await client.query(`ALTER DATABASE ${name}_draft RENAME TO ${name}`);
    return name;
  });

/**
 * Removes a test's database with what hangs on it: slots would keep it, and replication origins belong to the server.
 * `origins` says whether no other database of the server is in use.
 */
export const dropDatabase = async (
  server: PairServer,
  database: string,
  { origins }: { readonly origins: boolean },
): Promise<void> => {
  await onServer(server, async (client) => {
    await dropSlots(client, database);
    await client.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
    if (origins)
      await client.query(
        `SELECT pg_replication_origin_drop(roname) FROM pg_replication_origin WHERE roname LIKE 'xcrepl%'`,
      );
  });
};

/** A slot that a walsender still holds is freed by ending that walsender, which takes a moment. */
const dropSlots = async (client: Client, database: string): Promise<void> => {
  const slots = await client.query<{ slot_name: string }>(
    'SELECT slot_name FROM pg_replication_slots WHERE database = $1',
    [database],
  );
  if (slots.rows.length === 0) return;
  await client.query('SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1', [
    database,
  ]);
  for (const { slot_name } of slots.rows)
    await client.query(
      'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1',
      [slot_name],
    );
};

const onServer = async <T>(
  server: PairServer,
  work: (client: Client) => Promise<T>,
  database = 'postgres',
): Promise<T> => {
  const client = new Client({ connectionString: withDatabase(server.dsn, database) });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};
