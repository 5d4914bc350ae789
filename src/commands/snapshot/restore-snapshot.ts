/** Puts a snapshot's rows into tables, verified on their way and again where they are. */

import { hostname } from 'node:os';
import { EXIT } from '../../core/errors/exit.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { asHexDigest } from '../../core/objects/hex-digest.ts';
import { measured } from '../../core/objects/measured-body.ts';
import { resumedRead } from '../../core/objects/resumed-read.ts';
import { objectGone } from '../../core/objects/store-errors.ts';
import { digest as documentDigest } from '../../core/plan/basis.ts';
import type { Manifest, SnapshotPart } from '../../core/snapshot/manifest.ts';
import { linesOf } from '../../core/snapshot/part-lines.ts';
import {
  placesOfTables,
  refuseRedacted,
  restoredTables,
  sameTypes,
  type RestoredTable,
} from '../../core/snapshot/restore-scope.ts';
import { RowsDigest } from '../../core/snapshot/rows-digest.ts';
import { sideBySide } from '../../core/snapshot/send-parts.ts';
import { snapshotLink } from '../../core/snapshot/source-link.ts';
import { manifestFaults } from '../../core/snapshot/verify-parts.ts';
import type { Link } from '../../core/topology/link.ts';
import type { TableFacts, TableName } from '../../core/topology/table.ts';
import { parseDsn } from '../../providers/postgres/dsn.ts';
import { makeTables } from '../../providers/postgres/snapshot/made-tables.ts';
import { carrySequences } from '../../providers/postgres/snapshot/restored-sequences.ts';
import { RestoreTarget, type RestoredPart } from '../../providers/postgres/snapshot/restore-target.ts';
import { decompressed } from '../../providers/zstd/streams.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { confirmRegion } from '../replication/confirm.ts';
import { countText, durationText } from '../replication/quantities.ts';
import { regionDsns } from '../replication/selection.ts';
import { withSnapshot, type FoundSnapshot, type Where } from './find-snapshots.ts';
import { judgeRestore } from './judge-restore.ts';
import { checkSignature, type TrustOptions } from './signature.ts';
import { openSpending } from './spending.ts';

export interface RestoreOptions extends Where, TrustOptions {
  readonly to: string;
  readonly tables?: readonly string[] | undefined;
  readonly as?: string | undefined;
  readonly existing: 'refuse' | 'replace';
  readonly confirm?: string | undefined;
  readonly transfers: number;
  /** A database that is there for this alone: its tables are made. */
  readonly scratch?: string | undefined;
}

export interface Restored {
  readonly loaded: number;
  readonly found: number;
  readonly rows: number;
  readonly tables: readonly {
    readonly table: TableName;
    readonly into: TableName;
    readonly rows: number;
    readonly verdict: 'pass' | 'fail' | 'unknown';
    readonly seen: string;
  }[];
  readonly sequences: number;
}

export const restoreSnapshot = async (host: Host, id: string, options: RestoreOptions): Promise<Outcome> =>
  await withSnapshot(host, id, options, async (found) => {
    const started = host.clock.nowMs();
    const keyId = await checkSignature(host, found, options);
    if (host.flags.dryRun) return await preview(host, found, options);
    const restored = await restore(host, found, options);
    await recorded(host, found.manifest, options, restored);
    return outcome(found.manifest, options, restored, keyId, host.clock.nowMs() - started);
  });

/** The signature was checked. @throws XcError XC-1064, XC-2032, XC-2070, XC-2071, XC-5403, XC-5414 */
export const restore = async (
  host: Host,
  found: FoundSnapshot,
  options: RestoreOptions,
): Promise<Restored> => {
  const { manifest } = found;
  const [fault] = manifestFaults(manifest, manifest.id);
  if (fault) throw new XcError(fault.code, { subject: manifest.id, why: fault.seen });
  const tables = restoredTables(manifest, options);
  refuseRedacted(manifest, tables, { region: options.to, as: options.scratch ?? options.as });
  const loaded = await host.config();
  const scope = { region: found.region, tenant: manifest.tenant, to: options.to };
  const link = snapshotLink(
    loaded.config,
    scope,
    tables.map(({ of }) => of.table),
  );
  if (options.existing === 'replace')
    await confirmRegion(host, options.to, options.confirm, `replace rows of ${manifest.tenant}`);
  await using target = await openTarget(host, manifest, options);
  const into = options.as ?? '';
  await target.lock(manifest.id, into, host.flags.lockTimeoutMs ?? 0);
  if ((await target.restored(manifest.id, into)) === null)
    throw new XcError('XC-2016', { subject: `region ${options.to}` });
  if (options.as !== undefined || options.scratch !== undefined)
    await makeTables(
      target.client,
      manifest,
      tables.map(({ of, schema, name }) => [of, { schema, name }]),
      options.scratch !== undefined,
    );
  const places = placesOfTables(tables, await target.tables(new Set(tables.map(({ place }) => place))));
  judgeRestore(host, loaded, link, [...places.values()], options.existing);
  if (options.existing === 'replace') await target.clear([...places.values()], link, manifest.id, into);
  const before = (await target.restored(manifest.id, into)) ?? [];
  await refuseHeld(target, places, link, before);
  const parts = await loadParts(host, { found, options, target, tables, places, link, before });
  const sequences = options.as === undefined ? await carrySequences(target.client, manifest.sequences) : 0;
  return {
    loaded: parts.length - before.length,
    found: before.length,
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    tables: await verifyTables(host, {
      options,
      target,
      tables,
      places,
      link,
      parts,
      isNew: before.length === 0,
    }),
    sequences,
  };
};

const openTarget = async (
  host: Host,
  manifest: Manifest,
  options: RestoreOptions,
): Promise<RestoreTarget> => {
  const loaded = await host.config();
  const dsn = (await regionDsns(host, loaded, [options.to])).get(options.to) ?? '';
  const scope = loaded.config.tenants[manifest.tenant]?.scope;
  const own = scope?.kind === 'database' ? scope.database : parseDsn(dsn, options.to).database;
  return await RestoreTarget.open({
    dsn,
    region: options.to,
    database: options.scratch ?? own,
    applicationName: `xcrepl ${hostname().slice(0, 20)}:${process.pid} restore`,
    clock: host.clock,
    signal: host.signal,
  });
};

/** Tables that no part of this snapshot went into yet hold nothing of the tenant. @throws XcError XC-2071 */
const refuseHeld = async (
  target: RestoreTarget,
  places: ReadonlyMap<TableName, TableFacts>,
  link: Link,
  before: readonly RestoredPart[],
): Promise<void> => {
  const begun = new Set(before.map(({ table }) => table));
  const held: string[] = [];
  for (const [table, facts] of places)
    if (!begun.has(table) && (await target.holdsRows(facts, link)))
      held.push(`${facts.schema}.${facts.name}`);
  if (held.length > 0) throw new XcError('XC-2071', { subject: held.join(', ') });
};

interface Loading {
  readonly found: FoundSnapshot;
  readonly options: RestoreOptions;
  readonly target: RestoreTarget;
  readonly tables: readonly RestoredTable[];
  readonly places: ReadonlyMap<TableName, TableFacts>;
  readonly link: Link;
  readonly before: readonly RestoredPart[];
}

/** All parts of the tables, those of before among them. */
const loadParts = async (host: Host, loading: Loading): Promise<RestoredPart[]> => {
  const { found, options, target, tables, places, link, before } = loading;
  const { manifest } = found;
  const wanted = new Map(tables.map(({ of }) => [of.table, of]));
  const done = new Set(before.map(({ part }) => part));
  const todo = manifest.parts.filter(({ table, number }) => wanted.has(table) && !done.has(number));
  const progress = host.progress(`restore ${manifest.id}`);
  await using spending = await openSpending(host, await host.config(), link);
  let count = 0;
  const loaded = await sideBySide(todo, options.transfers, host.signal, async (part, signal) => {
    const digest = new RowsDigest();
    const of = wanted.get(part.table)!;
    const body = linesOf(
      manifest.format,
      partBytes(host, found, part, (bytes) => spending.spend(bytes, signal), signal),
      of.columns.map(({ name }) => name),
      digest,
    );
    const into = options.as ?? '';
    const record = await target.load(manifest.id, into, part, of, places.get(part.table)!, body, digest);
    progress.update(++count, todo.length);
    return record;
  }).finally(() => progress.end());
  return [...before.filter(({ table }) => wanted.has(table)), ...loaded];
};

/** What the store has is measured before the last row of it reaches the database: another digest takes the part back. */
async function* partBytes(
  host: Host,
  { store, manifest }: FoundSnapshot,
  { key, bytes, sha256 }: SnapshotPart,
  spend: (bytes: number) => Promise<void> | null,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const info = await store.head(key);
  if (info === null) throw objectGone(store.place, key);
  const patience = { clock: host.clock, signal, attempts: READ_ATTEMPTS, firstWaitMs: FIRST_WAIT_MS };
  const digest = asHexDigest(sha256);
  const stored = measured(store.place, key, resumedRead(store, info, patience), {
    bytes,
    ...(digest === null ? {} : { sha256: digest }),
  });
  for await (const piece of manifest.compression === 'zstd' ? decompressed(stored) : stored) {
    await spend(piece.byteLength);
    yield piece;
  }
}

const READ_ATTEMPTS = 8;
const FIRST_WAIT_MS = 500;

const verifyTables = async (
  host: Host,
  of: Omit<Loading, 'before' | 'found'> & {
    readonly parts: readonly RestoredPart[];
    readonly isNew: boolean;
  },
): Promise<Restored['tables']> => {
  const { options, target, tables, places, link, parts, isNew } = of;
  return await sideBySide(tables, options.transfers, host.signal, async ({ of: table, place }) => {
    const facts = places.get(table.table)!;
    const brought = new RowsDigest();
    for (const part of parts) if (part.table === table.table) brought.join(part);
    const held = await target.digestOf(table, facts, link);
    const counted = held.rows === brought.rows && brought.rows === table.rows;
    const equal = String(held) === String(brought);
    const row = { table: table.table, into: place, rows: held.rows };
    if (counted && equal)
      return { ...row, verdict: 'pass' as const, seen: 'count and checksum as in the snapshot' };
    if (counted && !sameTypes(table, facts))
      return {
        ...row,
        verdict: 'unknown' as const,
        seen: 'counted; its columns have other types, whose text cannot be compared',
      };
    // Restored at another time, and written to since.
    if (!isNew && parts.length > 0 && options.existing === 'refuse' && held.rows > brought.rows)
      throw new XcError('XC-2071', { subject: place });
    return {
      ...row,
      verdict: 'fail' as const,
      seen: `${held.rows} rows with checksum ${String(held)} instead of ${brought.rows} with ${String(brought)}`,
    };
  });
};

const recorded = async (
  host: Host,
  manifest: Manifest,
  options: RestoreOptions,
  restored: Restored,
): Promise<void> => {
  if (restored.loaded === 0) return;
  await host.audit.append({
    action: 'snapshot.restore',
    subject: manifest.id,
    tenant: manifest.tenant,
    before: documentDigest(manifest),
    facts: {
      region: options.to,
      ...(options.as === undefined ? {} : { schema: options.as }),
      existing: options.existing,
      parts: restored.loaded,
      rows: restored.rows,
      failed: restored.tables.filter(({ verdict }) => verdict === 'fail').length,
    },
  });
};

const preview = async (
  host: Host,
  { manifest }: FoundSnapshot,
  options: RestoreOptions,
): Promise<Outcome> => {
  const tables = restoredTables(manifest, options);
  refuseRedacted(manifest, tables, { region: options.to, as: options.as });
  await using target = await openTarget(host, manifest, options);
  if (options.as === undefined)
    placesOfTables(tables, await target.tables(new Set(tables.map(({ place }) => place))));
  const rows = tables.reduce((sum, { of }) => sum + of.rows, 0);
  const document = {
    schemaVersion: 1,
    dryRun: true,
    id: manifest.id,
    to: options.to,
    tables: tables.map(({ of, place }) => ({ table: of.table, into: place, rows: of.rows })),
  };
  return {
    document,
    table: () => `would restore ${countText(rows)} rows of ${tables.length} tables into ${options.to}`,
  };
};

const outcome = (
  { id, lsn, source }: Manifest,
  { to }: RestoreOptions,
  restored: Restored,
  keyId: string | null,
  durationMs: number,
): Outcome => {
  const failed = restored.tables.filter(({ verdict }) => verdict === 'fail');
  const changed = restored.loaded > 0;
  return {
    document: { schemaVersion: 1, id, to, changed, keyId, lsn, durationMs, ...restored },
    exit: failed.length > 0 ? EXIT.findings : EXIT.done,
    table: (paint) =>
      [
        `${failed.length > 0 ? paint.bad('differs') : changed ? paint.good('restored') : 'no change'}: ${countText(restored.rows)} rows of ${restored.tables.length} tables from snapshot ${id} in ${to}, ${durationText(durationMs)}`,
        paint.table(
          ['table', 'into', 'rows', 'verdict', 'seen'],
          restored.tables.map((row) => [
            row.table,
            row.into,
            countText(row.rows),
            row.verdict,
            row.verdict === 'fail' ? `XC-5415 ${row.seen}` : row.seen,
          ]),
        ),
        `as of log position ${lsn} of ${source.region}`,
      ].join('\n'),
  };
};
