/** Messages of a real server, of every kind that it sends: material for damage. */

import { makePair, type PairOptions } from '../harness/pair.ts';
import type { TestDatabase } from '../harness/test-database.ts';

/** Each message as the server's output plugin wrote it, in the order of the stream. */
export interface Captured {
  readonly name: string;
  readonly messages: readonly Buffer[];
  /** In the form of a session of ours; otherwise of one that asks for more than we do. */
  readonly ours: boolean;
}

export const CAPTURE_SQL = `
  CREATE SCHEMA app;
  CREATE TYPE app.mood AS ENUM ('sad', 'größe');
  CREATE TABLE app.plain (id int PRIMARY KEY, a int, b text, c app.mood, d numeric[], e timestamptz);
  CREATE TABLE app."full ä" (id int PRIMARY KEY, n int, body text);
  ALTER TABLE app."full ä" REPLICA IDENTITY FULL;
  CREATE TABLE app.loose (k int, v text);
  ALTER TABLE app.loose REPLICA IDENTITY FULL;
  CREATE TABLE app.owned (tenant text, id int, v text, PRIMARY KEY (tenant, id));
  CREATE TABLE app.wide (id int PRIMARY KEY, ${Array.from({ length: 60 }, (_, i) => `c${i} int2`).join(', ')});
  CREATE TABLE app.bare (id int PRIMARY KEY)`;

const large = `(SELECT string_agg(md5(g::text), '') FROM generate_series(1, 300) AS g)`;

export const TRAFFIC = [
  `INSERT INTO app.plain VALUES (1, 2, 'ü', 'größe', '{1.5,NULL}', '2026-01-01'), (2, NULL, NULL, NULL, NULL, NULL), (3, 0, '', 'sad', '{}', 'infinity')`,
  `UPDATE app.plain SET a = 7 WHERE id = 1; UPDATE app.plain SET id = 20 WHERE id = 2; DELETE FROM app.plain WHERE id = 3`,
  `INSERT INTO app."full ä" VALUES (1, 1, ${large}), (2, 2, 'x')`,
  `UPDATE app."full ä" SET n = 5; UPDATE app."full ä" SET id = 9 WHERE id = 2; DELETE FROM app."full ä" WHERE id = 1`,
  `INSERT INTO app.loose VALUES (1, 'x'), (NULL, NULL); UPDATE app.loose SET v = 'y'; DELETE FROM app.loose WHERE k = 1`,
  `INSERT INTO app.owned VALUES ('a', 1, 'v'), ('b', 1, NULL), ('c', 2, 'w')`,
  `UPDATE app.owned SET tenant = 'b' WHERE id = 2; UPDATE app.owned SET v = 'z'; DELETE FROM app.owned WHERE tenant = 'a'`,
  `INSERT INTO app.wide (id, c0, c59) VALUES (1, 2, 3); INSERT INTO app.bare VALUES (1), (2); DELETE FROM app.bare WHERE id = 1`,
  `SELECT pg_logical_emit_message(true, 'xcrepl', 'a marker'), pg_logical_emit_message(false, 'other', '\\x00ff'::bytea)`,
  `BEGIN; SAVEPOINT s; INSERT INTO app.bare VALUES (5); ROLLBACK TO s; INSERT INTO app.bare VALUES (6); COMMIT`,
  `TRUNCATE app.plain, app.bare RESTART IDENTITY CASCADE`,
  `ALTER TABLE app.bare ADD COLUMN more text; INSERT INTO app.bare VALUES (7, 'after')`,
  `BEGIN; INSERT INTO app.bare SELECT g, repeat('x', 1900) FROM generate_series(100, 140) AS g; SAVEPOINT s;
   INSERT INTO app.bare SELECT g, repeat('y', 1900) FROM generate_series(700, 740) AS g; ROLLBACK TO s; COMMIT`,
  `BEGIN; INSERT INTO app.bare VALUES (8, 'prepared'); PREPARE TRANSACTION 'fuzz one'`,
  `COMMIT PREPARED 'fuzz one'`,
  `BEGIN; INSERT INTO app.bare VALUES (9, 'prepared'); PREPARE TRANSACTION 'fuzz two'`,
  `ROLLBACK PREPARED 'fuzz two'`,
];

const OTHER_ORIGIN = [
  `SELECT pg_replication_origin_create('xcrepl_fuzz')`,
  `SELECT pg_replication_origin_session_setup('xcrepl_fuzz')`,
  `BEGIN; SELECT pg_replication_origin_xact_setup('0/1234', now()); INSERT INTO app.bare VALUES (50, 'from elsewhere'); COMMIT`,
  `SELECT pg_replication_origin_session_reset()`,
  `SELECT pg_replication_origin_drop('xcrepl_fuzz')`,
];

const COMMON = `'publication_names', 'fuzz', 'messages', 'true'`;

const FORMS = [
  {
    name: 'binary',
    ours: true,
    slot: 'fuzz_plain',
    options: `'proto_version', '1', 'binary', 'true', ${COMMON}`,
  },
  { name: 'text', ours: true, slot: 'fuzz_plain', options: `'proto_version', '1', ${COMMON}` },
  {
    name: 'streamed and prepared',
    ours: false,
    slot: 'fuzz_prepared',
    options: `'proto_version', '3', 'streaming', 'on', 'two_phase', 'on', 'binary', 'true', ${COMMON}`,
  },
] as const;

/** Runs the traffic once, and reads it in each form. */
export const captureMessages = async (
  options: Pick<PairOptions, 'pg'> = {},
): Promise<readonly Captured[]> => {
  await using pair = await makePair({ fixture: 'empty', sql: CAPTURE_SQL, ...options });
  const { source } = pair;
  await source.query('CREATE PUBLICATION fuzz FOR TABLES IN SCHEMA app');
  await source.query(`SELECT pg_create_logical_replication_slot('fuzz_plain', 'pgoutput')`);
  await source.query(`SELECT pg_create_logical_replication_slot('fuzz_prepared', 'pgoutput', false, true)`);
  for (const sql of TRAFFIC) await source.query(sql);
  await using client = await source.connect();
  for (const sql of OTHER_ORIGIN) await client.query(sql);
  const captured: Captured[] = [];
  for (const { name, ours, slot, options: form } of FORMS)
    captured.push({ name, ours, messages: await peek(source, slot, form) });
  await source.query(
    'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()',
  );
  return captured;
};

const peek = async (source: TestDatabase, slot: string, options: string): Promise<Buffer[]> => {
  await using client = await source.connect();
  await client.query(`SET logical_decoding_work_mem = '64kB'`);
  const { rows } = await client.query<{ data: Buffer }>(
    `SELECT data FROM pg_logical_slot_peek_binary_changes('${slot}', NULL, NULL, ${options})`,
  );
  return rows.map(({ data }) => data);
};
