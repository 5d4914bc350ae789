/** Puts a snapshot's rows into tables, verified on their way and again where they are. */

import { hostname } from 'node:os';
import { XcError } from '../../core/errors/xc-error.ts';
import { digest as documentDigest } from '../../core/plan/basis.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { placesOfTables, refuseRedacted, restoredTables } from '../../core/snapshot/restore-scope.ts';
import { snapshotLink } from '../../core/snapshot/source-link.ts';
import { manifestFaults } from '../../core/snapshot/verify-parts.ts';
import type { Link } from '../../core/topology/link.ts';
import type { TableFacts, TableName } from '../../core/topology/table.ts';
import { parseDsn } from '../../providers/postgres/dsn.ts';
import { makeTables } from '../../providers/postgres/snapshot/made-tables.ts';
import { carrySequences } from '../../providers/postgres/snapshot/restored-sequences.ts';
import { RestoreTarget, type RestoredPart } from '../../providers/postgres/snapshot/restore-target.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { confirmRegion } from '../replication/confirm.ts';
import { countText } from '../replication/quantities.ts';
import { regionDsns } from '../replication/selection.ts';
import { withSnapshot, type FoundSnapshot } from './find-snapshots.ts';
import { judgeRestore } from './judge-restore.ts';
import { checkSignature } from './signature.ts';
import { type RestoreOptions, type Restored, outcome } from './restore-view.ts';
import { loadParts } from './restore-parts.ts';
import { verifyTables } from './restored-tables.ts';

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
const restore = async (host: Host, found: FoundSnapshot, options: RestoreOptions): Promise<Restored> => {
  const { manifest } = found;
  const [fault] = manifestFaults(manifest, manifest.id);
  if (fault) throw new XcError(fault.code, { subject: manifest.id, why: fault.seen });
  const tables = restoredTables(manifest, options);
  refuseRedacted(manifest, tables, { region: options.to, as: options.as });
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
  if (options.as !== undefined)
    await makeTables(
      target.client,
      tables.map(({ of, schema, name }) => [of, { schema, name }]),
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
    database: own,
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
