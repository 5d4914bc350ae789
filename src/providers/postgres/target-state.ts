/**
 * What the schema xcrepl of a target says, in one statement; and the states that an operator asks of a link. A database
 * that was never initialised says so by lacking the schema.
 */

import type { Client } from 'pg';
import { parseLsn } from '../../core/change/lsn.ts';
import type { CarriedRow, CheckpointRow, CopyRow, LinkRow, LinkState } from '../../core/plan/facts.ts';
import type { RememberedManifest } from '../../core/policy/manifest-memory.ts';
import type { TableShape } from '../../core/schema-change/shape.ts';
import type { LinkId, StreamKey } from '../../core/topology/link.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { codeOf, pgError } from './pg-error.ts';

export interface TargetState {
  /** Number of the newest migration; null before init. */
  readonly schemaVersion: number | null;
  readonly epoch: number | null;
  /** The source of each stream that has a checkpoint: without one, no position belongs to it. */
  readonly sources: ReadonlyMap<StreamKey, { readonly system: string; readonly timeline: number }>;
  readonly lastSuccessMs: ReadonlyMap<StreamKey, number>;
  readonly links: readonly LinkRow[];
  readonly checkpoints: readonly CheckpointRow[];
  readonly copies: readonly CopyRow[];
  readonly noted: readonly {
    readonly stream: StreamKey;
    readonly relation: number;
    readonly table: string;
    readonly columns: TableShape['columns'] | null;
  }[];
  /** Of links of which it is known. */
  readonly tables: ReadonlyMap<LinkId, readonly CarriedRow[]>;
  readonly manifests: readonly RememberedManifest[];
}

const STATE = `
  SELECT (SELECT max(version) FROM xcrepl.migrations) AS version,
         (SELECT last_value::text FROM xcrepl.epoch) AS epoch,
         coalesce((SELECT json_object_agg(stream, json_build_object('system', source_system,
                            'timeline', source_timeline)) FROM xcrepl.streams s
                    WHERE EXISTS (SELECT FROM xcrepl.checkpoints c WHERE c.stream = s.stream)), '{}') AS sources,
         coalesce((SELECT json_object_agg(stream, ms) FROM
                    (SELECT stream, (extract(epoch FROM max(last_success_at)) * 1000)::float8 AS ms
                       FROM xcrepl.links GROUP BY stream HAVING max(last_success_at) IS NOT NULL) s), '{}') AS success,
         coalesce((SELECT json_agg(json_build_object('link', link, 'stream', stream, 'slot', slot, 'state', state,
                                                     'detail', detail) ORDER BY link) FROM xcrepl.links), '[]') AS links,
         coalesce((SELECT json_agg(json_build_object('slot', slot, 'stream', stream, 'position', position::text)
                                   ORDER BY slot) FROM xcrepl.checkpoints), '[]') AS checkpoints,
         coalesce((SELECT json_agg(c ORDER BY c.slot, c."table")
                     FROM (SELECT slot, table_name AS "table", count(*)::int AS chunks, count(done_at)::int AS done,
                                  (SELECT array_agg(DISTINCT l) FROM xcrepl.copy_chunks o, unnest(o.links) l
                                    WHERE o.slot = k.slot AND o.table_name = k.table_name) AS links
                             FROM xcrepl.copy_chunks k GROUP BY slot, table_name) c), '[]') AS copies,
         coalesce((SELECT json_agg(json_build_object('stream', stream, 'relation', relation, 'table', table_name,
                            'columns', CASE WHEN EXISTS (SELECT FROM xcrepl.links l WHERE l.stream = s.stream AND l.state = 'copying')
                                       THEN shape -> 'columns' END))
                     FROM xcrepl.table_shapes s), '[]') AS noted,
         coalesce((SELECT json_agg(json_build_array(l.link, coalesce((
                     SELECT json_agg(json_build_array(t.table_name, t.relation, t.slot, t.consistent_at IS NOT NULL))
                       FROM xcrepl.carried_tables t WHERE t.link = l.link), '[]')))
                     FROM xcrepl.links l WHERE l.tables_known), '[]') AS tables,
         coalesce((SELECT json_agg(json_build_object('controlPlane', control_plane, 'name', name, 'version', version,
                                                     'digest', digest, 'speaksOf', speaks_of) ORDER BY name)
                     FROM xcrepl.manifests), '[]') AS manifests`;

interface StateRow {
  readonly version: number | null;
  readonly epoch: string | null;
  readonly sources: Readonly<Record<StreamKey, { readonly system: string; readonly timeline: number }>>;
  readonly success: Readonly<Record<StreamKey, number>>;
  readonly links: readonly {
    readonly link: LinkId;
    readonly stream: StreamKey;
    readonly slot: string;
    readonly state: LinkState;
    readonly detail: Readonly<Record<string, unknown>>;
  }[];
  readonly checkpoints: readonly {
    readonly slot: string;
    readonly stream: StreamKey;
    readonly position: string;
  }[];
  readonly copies: readonly CopyRow[];
  readonly noted: TargetState['noted'];
  readonly tables: readonly [
    link: LinkId,
    tables: readonly [table: string, relation: number, slot: string | null, copied: boolean][],
  ][];
  readonly manifests: readonly RememberedManifest[];
}

const NOTHING: TargetState = {
  schemaVersion: null,
  epoch: null,
  sources: new Map(),
  lastSuccessMs: new Map(),
  links: [],
  checkpoints: [],
  copies: [],
  noted: [],
  tables: new Map(),
  manifests: [],
};

/** undefined_table and invalid_schema_name (PostgreSQL documentation, appendix A). */
export const isUninitialised = (error: unknown): boolean => ['42P01', '3F000'].includes(codeOf(error));

export const readTargetState = async (client: Client, subject: string): Promise<TargetState> => {
  try {
    const row = (await client.query<StateRow>(STATE)).rows[0];
    if (!row) return NOTHING;
    return {
      schemaVersion: row.version,
      epoch: row.epoch === null ? null : Number(row.epoch),
      sources: new Map(Object.entries(row.sources)),
      lastSuccessMs: new Map(Object.entries(row.success)),
      links: row.links.map((link) => ({ ...link, takenOff: link.detail.takenOff === true })),
      checkpoints: row.checkpoints.map((point) => ({ ...point, position: parseLsn(point.position) })),
      copies: row.copies,
      manifests: row.manifests,
      noted: row.noted,
      tables: new Map(
        row.tables.map(([link, tables]) => [
          link,
          tables.map(([table, relation, slot, copied]) => ({ table, relation, slot, copied })),
        ]),
      ),
    };
  } catch (error) {
    if (isUninitialised(error)) return NOTHING;
    throw pgError(error, subject);
  }
};

/** Link states of a stream as text, and the links that an operator wants gone: cheap, for a runner's watch. */
export const readLinkStates = async (
  client: Client,
  stream: StreamKey,
): Promise<{ readonly text: string; readonly dropping: readonly LinkId[] }> => {
  const { rows } = await client.query<{ link: string; slot: string; state: LinkState }>(
    'SELECT link, slot, state FROM xcrepl.links WHERE stream = $1 ORDER BY link',
    [stream],
  );
  return {
    text: JSON.stringify(rows),
    dropping: rows.filter((row) => row.state === 'dropping').map((row) => row.link),
  };
};

/**
 * Asks for a link's end. A link that is being dropped is not merely stopped again.
 * @returns the state that holds now, and whether this call changed it; null without such a link
 */
export const askForEnd = async (
  client: Client,
  link: LinkId,
  wanted: 'stopping' | 'dropping',
  subject: string,
): Promise<{ readonly state: LinkState; readonly changed: boolean; readonly takenOff: boolean } | null> => {
  try {
    const { rowCount } = await client.query(
      `UPDATE xcrepl.links SET state = $2, updated_at = clock_timestamp()
        WHERE link = $1 AND state <> $2 AND state <> 'dropping'`,
      [link, wanted],
    );
    const row = await readLink(client, link, subject);
    return row && { ...row, changed: (rowCount ?? 0) > 0 };
  } catch (error) {
    if (isUninitialised(error)) return null;
    throw pgError(error, subject);
  }
};

/** Null without such a link. */
export const readLink = async (
  client: Client,
  link: LinkId,
  subject: string,
): Promise<LinkStateRow | null> => {
  try {
    return (await readLinkRows(client, [link]))[0] ?? null;
  } catch (error) {
    if (isUninitialised(error)) return null;
    throw pgError(error, subject);
  }
};

export interface Asked {
  readonly link: LinkId;
  readonly state: LinkState;
  readonly changed: boolean;
}

const PAUSE = `
  UPDATE xcrepl.links SET state = 'pausing', updated_at = clock_timestamp()
   WHERE link = ANY ($1) AND state IN ('streaming', 'catching-up', 'errored') RETURNING link`;

/** One that was still to be paused goes on as it was; one that is paused catches up first, on its own slot. */
const RESUME = `
  UPDATE xcrepl.links l
     SET detail = detail - 'error' - 'why' - 'since' - 'position', updated_at = clock_timestamp(),
         state = CASE WHEN state = 'pausing' AND slot = 'xcrepl_s_' || stream AND consistent_at <=
                        (SELECT position FROM xcrepl.checkpoints c WHERE c.slot = l.slot)
                      THEN 'streaming' ELSE 'catching-up' END
   WHERE link = ANY ($1) AND state IN ('pausing', 'paused') RETURNING link`;

/**
 * Asks for links to be paused or resumed; what cannot be is left as it is.
 * @returns the links that there are, with the state that holds now
 */
export const askForPause = async (
  client: Client,
  links: readonly LinkId[],
  wanted: 'pause' | 'resume',
  subject: string,
): Promise<Asked[]> => {
  try {
    const { rows } = await client.query<{ link: LinkId }>(wanted === 'pause' ? PAUSE : RESUME, [links]);
    const changed = new Set(rows.map(({ link }) => link));
    return (await readLinkRows(client, links)).map((row) => ({ ...row, changed: changed.has(row.link) }));
  } catch (error) {
    if (isUninitialised(error)) return [];
    // check_violation: the schema is of a version that knows no links to be paused.
    if (codeOf(error) === '23514')
      throw new XcError('XC-2016', { subject, next: `xcrepl init --region ${subject}` });
    throw pgError(error, subject);
  }
};

export interface LinkStateRow {
  readonly link: LinkId;
  readonly slot: string;
  readonly state: LinkState;
  readonly takenOff: boolean;
  /** When it was begun, as text; one that was made again has another. Null before the schema knew it. */
  readonly since: string | null;
}

/** In order of their ids; those that the target does not know are left out. */
export const readLinkRows = async (client: Client, links: readonly LinkId[]): Promise<LinkStateRow[]> =>
  (
    await client.query<LinkStateRow>(
      `SELECT link, slot, state, coalesce((detail ->> 'takenOff')::boolean, false) AS "takenOff",
              to_jsonb(links) ->> 'began_at' AS since
         FROM xcrepl.links WHERE link = ANY ($1) ORDER BY link`,
      [links],
    )
  ).rows;

/** Streams that have links or a checkpoint here; none in a database that was never initialised. */
export const readStreamKeys = async (client: Client): Promise<StreamKey[]> => {
  try {
    const { rows } = await client.query<{ stream: StreamKey }>(
      'SELECT stream FROM xcrepl.links UNION SELECT stream FROM xcrepl.checkpoints',
    );
    return rows.map(({ stream }) => stream);
  } catch (error) {
    if (isUninitialised(error)) return [];
    throw error;
  }
};
