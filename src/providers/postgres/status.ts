/** What `replication status` asks: one statement a database. */

import type { Client } from 'pg';
import { parseLsn } from '../../core/change/lsn.ts';
import { isXcError } from '../../core/errors/xc-error.ts';
import type { LinkState } from '../../core/plan/facts.ts';
import type {
  JoiningLook,
  LinkLook,
  SequencesLook,
  Runner,
  SlotHealth,
  SourceLook,
  TableStatus,
  TargetLook,
} from '../../core/report/look.ts';
import { readIdentity } from './identity.ts';
import { pgError } from './pg-error.ts';
import { readPublicationNames, readSlots } from './positions.ts';
import { isUninitialised } from './target-state.ts';

const SOURCE = `
  WITH here AS (
    SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn)
  SELECT here.lsn::text AS lsn,
         (SELECT (wal_bytes / nullif(extract(epoch FROM now() - stats_reset), 0))::float8 FROM pg_stat_wal)
           AS "walBytesPerSecond", (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "nowMs",
         coalesce((SELECT json_agg(json_build_object('name', slot_name, 'walStatus', wal_status, 'active', active,
                                                     'confirmedFlush', confirmed_flush_lsn::text,
                            'retainedBytes', pg_wal_lsn_diff(here.lsn, restart_lsn), 'safeWalBytes', safe_wal_size))
                     FROM pg_replication_slots
                    WHERE database = current_database() AND slot_name LIKE 'xcrepl\\_%'), '[]') AS slots,
         coalesce((SELECT json_agg(json_build_object('run', run, 'ageMs', age, 'transactions', transactions))
                     FROM (SELECT split_part(application_name, ' ', 3) AS run, max(age(backend_xmin)) AS transactions,
                                  (extract(epoch FROM clock_timestamp() - min(coalesce(xact_start, state_change))) * 1000)::float8 AS age
                             FROM pg_stat_activity
                            WHERE datname = current_database() AND application_name LIKE 'xcrepl %:% rn\\_%'
                              AND backend_xmin IS NOT NULL
                              -- A slot's exported snapshot is held by a walsender, which tells no start of it.
                              AND (xact_start IS NOT NULL OR state = 'idle in transaction') GROUP BY 1) s), '[]') AS snapshots
    FROM here`;

interface SourceRow {
  readonly lsn: string;
  readonly nowMs: number;
  readonly walBytesPerSecond: number | null;
  readonly slots: readonly (SlotHealth & { readonly name: string })[];
  readonly snapshots: readonly {
    readonly run: string;
    readonly ageMs: number;
    readonly transactions: number;
  }[];
}

export const lookAtSource = async (client: Client, subject: string): Promise<SourceLook> => {
  try {
    const row = (await client.query<SourceRow>(SOURCE)).rows[0]!;
    return {
      currentLsn: parseLsn(row.lsn),
      nowMs: row.nowMs,
      walBytesPerSecond: row.walBytesPerSecond,
      slots: new Map(row.slots.map(({ name, ...health }) => [name, health])),
      snapshots: new Map(row.snapshots.map(({ run, ...snapshot }) => [run, snapshot])),
      ...(await seen(client, subject)),
    };
  } catch (error) {
    throw pgError(error, subject);
  }
};

/** Left out where the role may not know which server it is on: then nothing is judged, and nothing else is missing. */
const seen = async (client: Client, subject: string): Promise<Pick<SourceLook, 'seen'>> => {
  const identity = await readIdentity(client, subject).catch((error: unknown) => {
    if (isXcError(error, 'XC-4002')) return null;
    throw error;
  });
  if (!identity) return {};
  const { systemIdentifier, timeline, database } = identity;
  const slots = await readSlots(client);
  return {
    seen: { systemIdentifier, timeline, database, slots, publications: await readPublicationNames(client) },
  };
};

const TARGET = `
  SELECT coalesce((SELECT json_agg(json_build_object(
           'link', l.link, 'slot', l.slot, 'state', l.state, 'why', l.detail ->> 'why',
           'takenOff', coalesce((l.detail ->> 'takenOff')::boolean, false),
           'lastSuccessAt', l.last_success_at, 'verifiedAt', l.verified_at, 'verdict', l.verdict,
           'tables', coalesce((SELECT json_agg(json_build_object(
                'table', t.table_name, 'copiedRows', t.copied_rows, 'copiedBytes', t.copied_bytes, 'inserts', t.inserts,
                'updates', t.updates, 'deletes', t.deletes, 'bytes', t.bytes, 'conflicts', t.conflicts) ORDER BY t.table_name)
              FROM xcrepl.link_tables t WHERE t.link = l.link), '[]')))
           FROM xcrepl.links l), '[]') AS links,
         coalesce((SELECT json_agg(json_build_object('slot', slot, 'position', position::text, 'caughtUpToMs',
                            (extract(epoch FROM coalesce(source_commit, updated_at)) * 1000)::float8))
                     FROM xcrepl.checkpoints), '[]') AS checkpoints,
         coalesce((SELECT json_agg(json_build_object('stream', j.stream, 'run', s.runner, 'host', j.host, 'pid', j.pid,
                                                     'since', j.started_at))
                     FROM xcrepl.streams s JOIN xcrepl.replication_jobs j ON j.run IN (s.runner, s.runner || '/' || s.stream)
                    WHERE j.ended_at IS NULL), '[]') AS runners,
         coalesce((SELECT json_object_agg(stream, json_build_object('systemIdentifier', source_system,
                            'timeline', source_timeline)) FROM xcrepl.streams s
                    WHERE EXISTS (SELECT FROM xcrepl.checkpoints c WHERE c.stream = s.stream)), '{}') AS sources,
         coalesce((SELECT json_object_agg(stream, json_build_object('run', run, 'outcome', outcome))
                     FROM (SELECT DISTINCT ON (stream) stream, split_part(run, '/', 1) AS run, coalesce(outcome, '') AS outcome
                             FROM xcrepl.replication_jobs WHERE ended_at IS NOT NULL
                            ORDER BY stream, ended_at DESC) e), '{}') AS ended`;

interface TargetRow {
  readonly links: readonly {
    readonly link: string;
    readonly slot: string;
    readonly state: LinkState;
    readonly why: string | null;
    readonly takenOff: boolean;
    readonly lastSuccessAt: string | null;
    readonly verifiedAt: string | null;
    readonly verdict: LinkLook['verdict'];
    readonly tables: readonly TableStatus[];
  }[];
  readonly checkpoints: readonly {
    readonly slot: string;
    readonly position: string;
    readonly caughtUpToMs: number | null;
  }[];
  readonly runners: readonly (Runner & { readonly stream: string })[];
  readonly sources: Readonly<
    Record<string, { readonly systemIdentifier: string; readonly timeline: number }>
  >;
  readonly ended: Readonly<Record<string, { readonly run: string; readonly outcome: string }>>;
}

const NOTHING: TargetLook = {
  initialised: false,
  links: new Map(),
  checkpoints: new Map(),
  runners: new Map(),
};

const SEQUENCES = `
  SELECT stream, count(*) FILTER (WHERE why IS NULL)::int AS carried, max(carried_at) AS at,
         coalesce(json_agg(json_build_object('sequence', sequence, 'why', why) ORDER BY sequence)
                    FILTER (WHERE why IS NOT NULL), '[]') AS "left"
    FROM xcrepl.sequences GROUP BY stream`;

/** A target that an older version initialised has no such table, and no sequence was carried there. */
const lookAtSequences = async (client: Client): Promise<ReadonlyMap<string, SequencesLook>> => {
  try {
    const { rows } = await client.query<Omit<SequencesLook, 'at'> & { stream: string; at: Date }>(SEQUENCES);
    return new Map(rows.map(({ stream, at, ...look }) => [stream, { ...look, at: at.toISOString() }]));
  } catch (error) {
    if (isUninitialised(error)) return new Map();
    throw error;
  }
};

const JOINING = `
  SELECT link, json_agg(json_build_object('table', table_name, 'slot', slot,
           'state', CASE WHEN consistent_at IS NULL THEN 'copying' ELSE 'catching-up' END) ORDER BY table_name) AS tables
    FROM xcrepl.carried_tables WHERE slot IS NOT NULL GROUP BY link`;

/** Nor does it know of tables that join. */
const lookAtJoining = async (client: Client): Promise<ReadonlyMap<string, readonly JoiningLook[]>> => {
  try {
    const { rows } = await client.query<{ link: string; tables: readonly JoiningLook[] }>(JOINING);
    return new Map(rows.map(({ link, tables }) => [link, tables]));
  } catch (error) {
    if (isUninitialised(error)) return new Map();
    throw error;
  }
};

/** A database that was never initialised has no links, which is an answer and no error. */
export const lookAtTarget = async (client: Client, subject: string): Promise<TargetLook> => {
  try {
    const row = (await client.query<TargetRow>(TARGET)).rows[0]!;
    return {
      initialised: true,
      links: new Map(row.links.map(({ link, ...look }) => [link, look])),
      checkpoints: new Map(
        row.checkpoints.map(({ slot, position, caughtUpToMs }) => [
          slot,
          { position: parseLsn(position), caughtUpToMs },
        ]),
      ),
      runners: new Map(row.runners.map(({ stream, ...runner }) => [stream, runner])),
      sources: new Map(Object.entries(row.sources)),
      ended: new Map(Object.entries(row.ended)),
      sequences: await lookAtSequences(client),
      joining: await lookAtJoining(client),
    };
  } catch (error) {
    if (isUninitialised(error)) return NOTHING;
    throw pgError(error, subject);
  }
};
