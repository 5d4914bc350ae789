/** Takes a snapshot of one tenant's tables: reads under one snapshot of the database, and streams into a store. */

import { hostname } from 'node:os';
import type { LoadedConfig } from '../../core/config/loaded.ts';
import { formatLsn } from '../../core/change/lsn.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import type { ObjectStore } from '../../core/objects/object-store.ts';
import { digest } from '../../core/plan/basis.ts';
import { gateTable } from '../../core/plan/gates.ts';
import { refuseColumnRules, refuseResidency } from '../../core/plan/refusals.ts';
import { refuseGates } from '../../core/plan/refuse-gates.ts';
import type { GateRow } from '../../core/policy/gates/table.ts';
import type { Begun } from '../../core/snapshot/begun.ts';
import { makeManifest, policyDigest } from '../../core/snapshot/make-manifest.ts';
import { partsOf, type Manifest } from '../../core/snapshot/manifest.ts';
import { cutsOf, plannedParts } from '../../core/snapshot/part-layout.ts';
import { checkArrived, once, sendParts } from '../../core/snapshot/send-parts.ts';
import {
  checkScope,
  snapshotLink,
  wantedTables,
  type SnapshotScope,
} from '../../core/snapshot/source-link.ts';
import type { Signer } from '../../core/signing/signing.ts';
import { isoTime } from '../../core/time/clock.ts';
import type { Link } from '../../core/topology/link.ts';
import type { Catalogue, TableFacts } from '../../core/topology/table.ts';
import { parseDsn } from '../../providers/postgres/dsn.ts';
import { dumpSchema } from '../../providers/postgres/snapshot/schema-dump.ts';
import { SnapshotSource } from '../../providers/postgres/snapshot/snapshot-source.ts';
import { compressed } from '../../providers/zstd/streams.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { openRegionStore } from '../object-stores.ts';
import type { KeyOptions } from '../policy/signer.ts';
import { hashKeysOf } from '../replication/hash-keys.ts';
import { policyContext } from '../replication/policy-context.ts';
import { regionDsns } from '../replication/selection.ts';
import { beginOrGoOn, forgetBegun } from './begun-snapshots.ts';
import { created, preview } from './create-view.ts';
import { publish } from './publish.ts';
import { openSpending } from './spending.ts';

export interface CreateOptions extends KeyOptions {
  readonly region: string;
  readonly tenant: string;
  readonly to?: string | undefined;
  readonly tables?: readonly string[] | undefined;
  readonly format: Manifest['format'];
  readonly compress: Manifest['compression'];
  readonly chunkBytes: number;
  readonly transfers: number;
  readonly unsigned?: boolean | undefined;
}

export const createSnapshot = async (host: Host, options: CreateOptions): Promise<Outcome> => {
  const loaded = await host.config();
  const { region, tenant, tables, to = region } = options;
  const scope: SnapshotScope = { region, tenant, to, tables };
  checkScope(loaded.config, scope);
  // What is missing for a signature is told before hours of reading.
  const signer = options.unsigned || host.flags.dryRun ? null : await signerOf(host, options);
  const store = await openRegionStore(host, loaded, scope.to, scope.tenant);
  try {
    await using source = await openSource(host, loaded, scope);
    return await take({ host, loaded, scope, options, store, source, signer });
  } finally {
    await store.close();
  }
};

const signerOf = async (host: Host, options: CreateOptions): Promise<Signer> => {
  const { signerFor } = await import('../policy/signer.ts');
  return await signerFor(host, options);
};

const databaseOf = ({ config }: LoadedConfig, dsn: string, { region, tenant }: SnapshotScope): string => {
  const scope = config.tenants[tenant]?.scope;
  return scope?.kind === 'database' ? scope.database : parseDsn(dsn, region).database;
};

const openSource = async (
  host: Host,
  loaded: LoadedConfig,
  scope: SnapshotScope,
): Promise<SnapshotSource> => {
  const dsn = (await regionDsns(host, loaded, [scope.region])).get(scope.region) ?? '';
  return await SnapshotSource.open({
    dsn,
    region: scope.region,
    database: databaseOf(loaded, dsn, scope),
    applicationName: `xcrepl ${hostname().slice(0, 20)}:${process.pid} snapshot`,
    clock: host.clock,
    signal: host.signal,
  });
};

interface Taking {
  readonly host: Host;
  readonly loaded: LoadedConfig;
  readonly scope: SnapshotScope;
  readonly options: CreateOptions;
  readonly store: ObjectStore;
  readonly source: SnapshotSource;
  readonly signer: Signer | null;
}

const take = async (taking: Taking): Promise<Outcome> => {
  const { host, loaded, scope, options, store, source } = taking;
  const identity = await source.identity();
  const held = await source.hold(wantedTables(loaded.config, scope));
  const link = snapshotLink(loaded.config, scope, [...held.catalogue.tables.keys()]);
  const tables = await source.tables(link);
  if (tables.length === 0)
    throw new XcError('XC-1304', { subject: link.id, why: 'no table of the tenant is in scope' });
  judge(taking, link, tables, held.catalogue, false);
  const extents = await source.extents(tables);
  const request = requestDigest(taking, link, identity.systemIdentifier);
  if (host.flags.dryRun) return preview({ ...scope, store, options }, link, extents);
  await source.lock(request, host.flags.lockTimeoutMs ?? 0);
  const begun = await beginOrGoOn(host, store, request, () => cutsOf(extents, options.chunkBytes));
  const form = { format: options.format, compression: options.compress };
  const planned = plannedParts(begun.id, extents, begun.cuts, form);
  const hashKeys = await hashKeysOf(host, loaded);
  const sent = { parts: 0, bytes: 0, found: 0 };
  await using spending = await openSpending(host, loaded, link);
  const progress = host.progress(`snapshot ${begun.id}`);
  const parts = await sendParts(planned, {
    id: begun.id,
    store,
    read: async (part) => await source.read(part, { link, hashKeys, format: options.format }),
    compression: options.compress,
    compressed,
    spend: spending.spend,
    sent: ({ bytes }, found) => {
      if (found) sent.found++;
      else {
        sent.parts++;
        sent.bytes += bytes;
      }
      progress.update(sent.found + sent.parts, planned.length);
    },
    transfers: options.transfers,
    signal: host.signal,
  }).finally(() => progress.end());
  await checkArrived(store, parts, options.transfers, host.signal);
  const ddl = await sendDdl(taking, begun, identity.version, tables);
  const manifest = makeManifest({
    id: begun.id,
    createdAt: isoTime(host.clock.nowMs()),
    mode: loaded.mode,
    controlPlane: loaded.config.controlPlane,
    source: {
      region: scope.region,
      database: identity.database,
      system: identity.systemIdentifier,
      timeline: identity.timeline,
      version: identity.version,
    },
    lsn: formatLsn(held.lsn),
    from: formatLsn(held.from),
    visible: held.visible,
    ...form,
    config: loaded.digest,
    ddl,
    link,
    catalogue: held.catalogue,
    tables,
    hashKeys,
    gates: judge(taking, link, tables, held.catalogue, true),
    parts,
  });
  await publish(taking, manifest);
  await forgetBegun(store, begun.id);
  return created(taking, manifest, sent);
};

/** @throws XcError of the gate or rule that lets no such snapshot be */
const judge = (
  { host, loaded }: Taking,
  link: Link,
  tables: readonly TableFacts[],
  catalogue: Catalogue,
  verified: boolean,
): readonly GateRow[] => {
  const carried = new Map([[link, tables]]);
  refuseColumnRules(carried, catalogue, Object.keys(loaded.config.hashKeys));
  refuseResidency(carried);
  const rows = gateTable(
    carried,
    { mode: loaded.mode, policy: policyContext(loaded) },
    { id: link.id, nowMs: host.clock.nowMs(), findings: [], used: () => undefined, as: 'snapshot', verified },
  );
  // Budgets slow and pause where the bytes flow; before they flowed, nothing is there to be verified.
  refuseGates(rows, link.id, verified ? ['P6'] : ['P6', 'P7']);
  return rows;
};

const requestDigest = ({ scope, options, loaded }: Taking, link: Link, system: string): string =>
  digest(
    JSON.parse(
      JSON.stringify({
        scope,
        system,
        tables: link.rule.tables,
        policy: policyDigest(link),
        controlPlane: loaded.config.controlPlane,
        form: [options.format, options.compress, options.chunkBytes],
      }),
    ),
  ).replace(/^sha256:/, '');

const sendDdl = async (
  { host, loaded, scope, store }: Taking,
  { id }: Begun,
  version: number,
  tables: readonly TableFacts[],
): Promise<Manifest['ddl']> => {
  const dsn = (await regionDsns(host, loaded, [scope.region])).get(scope.region) ?? '';
  const place = { region: scope.region, database: databaseOf(loaded, dsn, scope), version };
  const dumped = await dumpSchema(dsn, place, tables, host.env, host.signal);
  if ('missing' in dumped) return dumped;
  const key = `${partsOf(id)}schema.sql`;
  const info = await store.write(key, once(dumped.sql));
  return { key, bytes: info.bytes, sha256: info.sha256 ?? '', by: dumped.by };
};
