/**
 * Removes every object of ours from one database: slots, publications, replication origins and the schema xcrepl. Rows
 * that were replicated are the operator's and stay.
 */

import type { Client } from 'pg';
import { XcError } from '../../core/errors/xc-error.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { StreamKey } from '../../core/topology/link.ts';
import { takeLock } from './engine/lock.ts';
import { pgError } from './pg-error.ts';
import { ident } from './quote.ts';

export interface Installed {
  readonly slots: readonly { readonly name: string; readonly active: boolean }[];
  readonly publications: readonly string[];
  /** Of streams that this database is the target of; origins belong to the server, so others' are left alone. */
  readonly origins: readonly string[];
  readonly schema: boolean;
  /** When the schema was made, as text; null without one. */
  readonly since: string | null;
  /** Keys of the streams that this database is the target of. */
  readonly streams: readonly StreamKey[];
  /** Slots that drain into this database, at their sources: they hold back log until they are dropped there. */
  readonly feeding: readonly { readonly slot: string; readonly region: string }[];
}

const OBJECTS = `
  SELECT coalesce((SELECT json_agg(json_build_object('name', slot_name, 'active', active) ORDER BY slot_name)
                     FROM pg_catalog.pg_replication_slots
                    WHERE database = current_database() AND slot_name LIKE 'xcrepl\\_%'), '[]') AS slots,
         ARRAY(SELECT pubname::text FROM pg_catalog.pg_publication WHERE pubname LIKE 'xcrepl\\_%' ORDER BY 1)
           AS publications,
         to_regclass('xcrepl.streams') IS NOT NULL AS streams,
         to_regclass('xcrepl.migrations') IS NOT NULL AS migrations,
         to_regnamespace('xcrepl') IS NOT NULL AS schema`;

interface ObjectsRow {
  readonly slots: Installed['slots'];
  readonly publications: readonly string[];
  readonly streams: boolean;
  readonly migrations: boolean;
  readonly schema: boolean;
}

/** @param subject the database for errors: "us-east-1/shop" */
export const readInstalled = async (client: Client, subject: string): Promise<Installed> => {
  try {
    const row = (await client.query<ObjectsRow>(OBJECTS)).rows[0];
    if (!row)
      throw new XcError('XC-9001', { subject, why: 'the server gave no row where there is always one' });
    const streams = row.streams ? await readStreams(client) : { origins: [], feeding: [], streams: [] };
    const { slots, publications, schema } = row;
    return {
      slots,
      publications,
      schema,
      since: row.migrations ? await readSince(client) : null,
      ...streams,
    };
  } catch (error) {
    throw pgError(error, subject);
  }
};

const readSince = async (client: Client): Promise<string | null> => {
  const { rows } = await client.query<{ since: string | null }>(
    'SELECT min(applied_at)::text AS since FROM xcrepl.migrations',
  );
  return rows[0]?.since ?? null;
};

/** Slots and origins carry the stream's key in their names; those of a link by itself, the link's (see linkKey). */
const readStreams = async (client: Client): Promise<Pick<Installed, 'origins' | 'feeding' | 'streams'>> => {
  const origins = await client.query<{ name: string }>(
    `SELECT o.roname AS name FROM pg_catalog.pg_replication_origin o
      WHERE o.roname LIKE 'xcrepl\\_%'
        AND (EXISTS (SELECT FROM xcrepl.streams s WHERE strpos(o.roname, s.stream) > 0)
             OR EXISTS (SELECT FROM xcrepl.checkpoints c WHERE c.slot = o.roname)
             OR EXISTS (SELECT FROM xcrepl.links l WHERE starts_with(o.roname, 'xcrepl_l_' ||
                          left(encode(sha256(convert_to(jsonb_build_array(l.link)::text, 'UTF8')), 'hex'), 10)))) ORDER BY 1`,
  );
  const feeding = await client.query<{ slot: string; region: string }>(
    `SELECT c.slot, s.source_region AS region FROM xcrepl.checkpoints c JOIN xcrepl.streams s USING (stream) ORDER BY 1`,
  );
  const streams = await client.query<{ stream: string }>('SELECT stream FROM xcrepl.streams ORDER BY 1');
  return {
    origins: origins.rows.map((row) => row.name),
    feeding: feeding.rows,
    streams: streams.rows.map((row) => row.stream),
  };
};

export const isInstalled = (found: Installed): boolean =>
  found.schema || found.slots.length + found.publications.length + found.origins.length > 0;

/** The locks of the streams that end here: whoever runs one of them is named. They go with the session. */
const lockStreams = async (client: Client, { streams }: Installed, wait: LockWait): Promise<void> => {
  for (const stream of streams) await takeLock(client, stream, wait.waitMs, wait.clock, wait.signal);
};

export interface LockWait {
  /** How long to wait for a run that is under way, in milliseconds. */
  readonly waitMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * @returns what was removed, as "slot NAME", "publication NAME", "origin NAME", "schema xcrepl"
 * @throws XcError XC-7002 when a runner holds one of the slots or streams, XC-4002
 */
export const uninstall = async (
  client: Client,
  found: Installed,
  subject: string,
  wait: LockWait,
): Promise<string[]> => {
  const busy = found.slots.filter((slot) => slot.active).map((slot) => slot.name);
  if (busy.length > 0)
    throw new XcError('XC-7002', {
      subject,
      why: `a runner is connected to ${busy.join(', ')}`,
      next: 'stop that run, then repeat the command',
    });
  await lockStreams(client, found, wait);
  const removed: string[] = [];
  const remove = async (what: string, sql: string, values: readonly string[] = []): Promise<void> => {
    await client.query(sql, [...values]);
    removed.push(what);
  };
  try {
    for (const { name } of found.slots)
      await remove(`slot ${name}`, 'SELECT pg_catalog.pg_drop_replication_slot($1)', [name]);
    for (const name of found.publications)
      await remove(`publication ${name}`, `DROP PUBLICATION IF EXISTS ${ident(name)}`);
    for (const name of found.origins)
      await remove(`origin ${name}`, 'SELECT pg_catalog.pg_replication_origin_drop($1)', [name]);
    if (found.schema) await remove('schema xcrepl', 'DROP SCHEMA IF EXISTS xcrepl CASCADE');
    return removed;
  } catch (error) {
    throw pgError(error, subject);
  }
};
