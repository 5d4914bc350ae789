/** Gathers what a plan is made from. Reads only: a dry run leaves no trace on either server. */

import { tableNameSql } from './quote.ts';
import type { Client } from 'pg';
import { parseLsn } from '../../core/change/lsn.ts';
import type {
  PublicationFacts,
  ReplicationFacts,
  ServerFacts,
  SlotFacts,
  SourceFacts,
  StreamFacts,
  TargetFacts,
} from '../../core/plan/facts.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { LinkId, Stream } from '../../core/topology/link.ts';
import { matchesPatterns } from '../../core/topology/pattern.ts';
import { tableName, type Catalogue, type TableName } from '../../core/topology/table.ts';
import { tablesInScope } from '../../core/validation/checks/table/scope.ts';
import { targetPatterns } from '../../core/topology/mapping.ts';
import { placesOf, targetView } from '../../core/topology/target-view.ts';
import { readCatalogue } from './catalogue/catalogue.ts';
import { readAccess, readServerState } from './catalogue/server.ts';
import { connect, disconnect } from './connect.ts';
import { describeDsn, isLocal, parseDsn } from './dsn.ts';
import { readIdentity, type ServerIdentity } from './identity.ts';
import { pgError } from './pg-error.ts';
import { ident, literal, qualified } from './quote.ts';
import { readTargetState, type TargetState } from './target-state.ts';
import { endOfLog, historySince } from './timeline.ts';

export interface FactsOptions {
  readonly streams: readonly Stream[];
  /** Links that may begin to copy: how many rows they have is estimated. */
  readonly selected: ReadonlySet<LinkId>;
  /** By region. */
  readonly dsns: ReadonlyMap<string, string>;
  readonly roles: ReadonlyMap<string, 'primary' | 'replica'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Pairs of databases that are looked at side by side: two sessions each. */
const PARALLEL = 4;

/** @throws XcError XC-4xxx, XC-6xxx from whichever server cannot be asked */
export const gatherFacts = async (options: FactsOptions): Promise<ReplicationFacts> => {
  const { default: PQueue } = await import('p-queue');
  const queue = new PQueue({ concurrency: PARALLEL });
  const streams = await Promise.all(
    options.streams.map((stream) => queue.add(() => streamFacts(stream, options))),
  );
  return { gatheredAtMs: options.clock.nowMs(), streams };
};

/**
 * The checkpoints are read after the slots, and the end of the source's log after them: a stream that flows meanwhile
 * acknowledges only what its target has, and its target has only what the source has, so neither is ahead of the other,
 * unless it is in truth.
 */
const streamFacts = async (given: Stream, options: FactsOptions): Promise<StreamFacts> => {
  return await onServer(given.target, options, async (atTarget, subject) => {
    const stream = withThoseOnIt(given, await readTargetState(atTarget, subject));
    const inScope = scopeOf(stream);
    const target = await targetFacts(atTarget, subject, stream, options);
    const known = new Set([...target.links, ...(target.elsewhere ?? [])].map((row) => row.link));
    const fresh = stream.links.filter((link) => options.selected.has(link.id) && !known.has(link.id));
    return await onServer(stream.source, options, async (client, name, walsender) => {
      const facts = await sourceFacts(client, name, stream, inScope, options, walsender);
      const scopedRows = await estimateRows(client, facts.catalogue, { ...stream, links: fresh });
      const history = await historySince(target.knownTimeline ?? null, facts, walsender);
      const { checkpoints } = await readTargetState(atTarget, subject);
      const currentLsn = await endOfLog(client);
      const places = placesOf(stream.links, (link) => tablesInScope(link, facts.catalogue).map(tableName));
      return {
        stream,
        source: { ...facts, scopedRows, history, currentLsn },
        target: {
          ...target,
          catalogue: targetView(target.catalogue, facts.catalogue, places),
          checkpoints: checkpoints.filter(
            (row) => row.stream === stream.key || target.elsewhere?.some(({ slot }) => slot === row.slot),
          ),
        },
      };
    });
  });
};

/** Links that the configuration has moved to another stream belong to the one that they stand on until they were moved. */
const withThoseOnIt = (stream: Stream, { links }: Pick<TargetState, 'links'>): Stream => {
  const here = new Set(links.flatMap((row) => (row.stream === stream.key ? [row.link] : [])));
  const on = (stream.others ?? []).filter(({ id }) => here.has(id));
  return on.length === 0 ? stream : { ...stream, links: [...stream.links, ...on] };
};

const scopeOf = (stream: Stream): ((name: TableName) => boolean) => {
  const rules = [...new Set(stream.links.map((link) => link.rule))];
  return (name) => rules.some((rule) => matchesPatterns(rule.tables ?? [], name));
};

export const onServer = async <T>(
  place: Stream['source'],
  { dsns, signal }: FactsOptions,
  work: (client: Client, subject: string, walsender: () => Promise<Client>) => Promise<T>,
): Promise<T> => {
  const dsn = dsns.get(place.region) ?? '';
  const common = { subject: place.region, database: place.database, signal };
  const client = await connect(dsn, { ...common, readOnly: true });
  const hangUp = (): void => void disconnect(client, 0);
  signal.addEventListener('abort', hangUp, { once: true });
  try {
    return await work(client, `${place.region}/${place.database}`, () =>
      connect(dsn, { ...common, replication: 'database' }),
    );
  } catch (error) {
    signal.throwIfAborted();
    throw pgError(error, place.region);
  } finally {
    signal.removeEventListener('abort', hangUp);
    await disconnect(client);
  }
};

export const targetFacts = async (
  client: Client,
  subject: string,
  stream: Stream,
  { roles, dsns }: FactsOptions,
): Promise<TargetFacts> => {
  const patterns = [...new Set(stream.links.map((link) => link.rule))].flatMap(targetPatterns);
  const identity = await readIdentity(client, subject);
  const state = await readTargetState(client, subject);
  const elsewhere = state.links.filter((row) => stream.otherKeys?.get(row.link) === row.stream);
  const catalogue = await readCatalogue(client, { tables: (name) => matchesPatterns(patterns, name) });
  return {
    ...identity,
    ...stream.target,
    role: roles.get(stream.target.region) ?? 'replica',
    catalogue,
    observed: await observe(client, { ...identity, ...stream.target }, catalogue, dsns),
    schemaVersion: state.schemaVersion,
    epoch: state.epoch,
    lastSuccessMs: state.lastSuccessMs.get(stream.key) ?? null,
    knownSource: state.sources.get(stream.key)?.system ?? null,
    knownTimeline: state.sources.get(stream.key)?.timeline ?? null,
    links: state.links.filter((row) => row.stream === stream.key),
    elsewhere,
    checkpoints: state.checkpoints.filter(
      (row) => row.stream === stream.key || elsewhere.some(({ slot }) => slot === row.slot),
    ),
    copies: state.copies,
    noted: state.noted.filter((row) => row.stream === stream.key),
    tables: state.tables,
    manifests: state.manifests,
  };
};

const SOURCE = `
  SELECT current_setting('wal_level') AS "walLevel",
         (SELECT nullif(setting::int8, -1) * 1048576 FROM pg_settings WHERE name = 'max_slot_wal_keep_size')::float8
           AS "maxSlotWalKeepBytes",
         (SELECT (wal_bytes / nullif(extract(epoch FROM now() - stats_reset), 0))::float8 FROM pg_stat_wal)
           AS "walBytesPerSecond",
         coalesce((SELECT json_agg(json_build_object('name', slot_name, 'walStatus', wal_status, 'active', active,
                            'confirmedFlush', confirmed_flush_lsn::text, 'restart', restart_lsn::text, 'plugin', plugin,
                            'invalidation', to_jsonb(s) ->> 'invalidation_reason') ORDER BY slot_name)
                     FROM pg_replication_slots s
                    WHERE database = current_database() AND slot_name LIKE 'xcrepl\\_%'), '[]') AS slots,
         coalesce((SELECT json_agg(json_build_object('name', p.pubname, 'update', p.pubupdate, 'tables',
                            coalesce((SELECT json_agg(json_build_object(
                                       'table', ${tableNameSql('n.nspname', 'c.relname')}, 'relation', c.oid::int8,
                                       'rowFilter', pg_get_expr(r.prqual, r.prrelid),
                                       'columns', (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
                                                    WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)))
                                       ORDER BY n.nspname, c.relname)
                                FROM pg_publication_rel r JOIN pg_class c ON c.oid = r.prrelid
                                JOIN pg_namespace n ON n.oid = c.relnamespace WHERE r.prpubid = p.oid), '[]'))
                          ORDER BY p.pubname)
                     FROM pg_publication p WHERE p.pubname LIKE 'xcrepl\\_%'), '[]') AS publications`;

interface SourceRow {
  readonly walLevel: string;
  readonly maxSlotWalKeepBytes: number | null;
  readonly walBytesPerSecond: number | null;
  readonly slots: readonly (Omit<SlotFacts, 'confirmedFlush' | 'restart'> & {
    readonly confirmedFlush: string | null;
    readonly restart: string | null;
  })[];
  readonly publications: readonly {
    readonly name: string;
    readonly update: boolean;
    readonly tables: PublicationFacts['tables'];
  }[];
}

const sourceFacts = async (
  client: Client,
  subject: string,
  stream: Stream,
  inScope: (name: TableName) => boolean,
  { roles, dsns }: FactsOptions,
  walsender: () => Promise<Client>,
): Promise<Omit<SourceFacts, 'scopedRows' | 'currentLsn'>> => {
  const identity = await readIdentity(client, subject, walsender);
  const catalogue = await readCatalogue(client, { tables: inScope });
  const row = (await client.query<SourceRow>(SOURCE)).rows[0];
  if (!row) throw new Error('the server gave no row where there is always one');
  return {
    ...identity,
    ...stream.source,
    role: roles.get(stream.source.region) ?? 'replica',
    catalogue,
    observed: await observe(client, { ...identity, ...stream.source }, catalogue, dsns),
    walLevel: row.walLevel,
    maxSlotWalKeepBytes: row.maxSlotWalKeepBytes,
    walBytesPerSecond: row.walBytesPerSecond,
    slots: row.slots.map((slot) => ({
      ...slot,
      confirmedFlush: slot.confirmedFlush === null ? null : parseLsn(slot.confirmedFlush),
      restart: slot.restart === null ? null : parseLsn(slot.restart),
    })),
    publications: row.publications.map(({ name, update, tables }) => ({
      name,
      publishes: { update },
      tables,
    })),
  };
};

/** The clock is left out: comparing it takes many round trips, and no plan rests on it. */
const observe = async (
  client: Client,
  { region, database, ...identity }: ServerIdentity & { readonly region: string },
  catalogue: Catalogue,
  dsns: FactsOptions['dsns'],
): Promise<NonNullable<ServerFacts['observed']>> => {
  const dsn = parseDsn(dsns.get(region) ?? '', region);
  const roots = [...catalogue.tables.values()].filter((table) => !table.isPartition);
  return {
    server: {
      ...(await readServerState(client)),
      region,
      database,
      address: describeDsn({ ...dsn, database }),
      isLocal: isLocal(dsn),
      version: identity.version,
      inRecovery: identity.inRecovery,
      systemIdentifier: identity.systemIdentifier,
      timeline: identity.timeline,
      clock: null,
    },
    access: await readAccess(
      client,
      roots.map((table) => table.oid),
    ),
  };
};

/** Asks the optimiser, which reads statistics and no rows. A table that the role may not read has no estimate. */
const estimateRows = async (
  client: Client,
  catalogue: Catalogue,
  stream: Stream,
): Promise<Map<TableName, number>> => {
  const rows = new Map<TableName, number>();
  const scoped = stream.links.filter((link) => link.scope.kind === 'column');
  if (scoped.length === 0) return rows;
  for (const [name, table] of catalogue.tables) {
    if (table.isPartition) continue;
    const links = scoped.filter((link) => matchesPatterns(link.rule.tables ?? [], name));
    const scope = links[0]?.scope;
    if (scope?.kind !== 'column' || !table.columns.some((column) => column.name === scope.column)) continue;
    const values = links.flatMap((link) => (link.scope.kind === 'column' ? [literal(link.scope.value)] : []));
    try {
      const sql = `SELECT FROM ${qualified(table)} WHERE ${ident(scope.column)} IN (${values.join(', ')})`;
      const plan = await client.query<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
        `EXPLAIN (FORMAT JSON) ${sql}`,
      );
      const estimate = plan.rows[0]?.['QUERY PLAN'][0].Plan['Plan Rows'];
      if (estimate !== undefined) rows.set(name, estimate);
    } catch {
      continue;
    }
  }
  return rows;
};
