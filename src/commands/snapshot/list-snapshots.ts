/** What snapshots there are, finished and begun. */

import type { Host, Outcome } from '../frame/host.ts';
import { bytesText, countText } from '../replication/quantities.ts';
import { listBegun } from './begun-snapshots.ts';
import { manifestsOf, places, withSnapshot, type Where } from './find-snapshots.ts';

interface Listed {
  readonly id: string;
  readonly tenant: string;
  readonly region: string;
  readonly store: string;
  readonly state: 'finished' | 'begun' | 'unreadable';
  readonly createdAt: string | null;
  readonly source?: string;
  readonly tables?: number;
  readonly parts?: number;
  readonly rows?: number;
  readonly bytes?: number;
  readonly lsn?: string;
  readonly why?: string;
}

export const listSnapshots = async (host: Host, where: Where): Promise<Outcome> => {
  const loaded = await host.config();
  const found: Listed[] = [];
  for await (const { region, tenant, store } of places(host, loaded, where)) {
    const place = { tenant, region, store: store.place };
    const finished = new Set<string>();
    for await (const one of manifestsOf(store)) {
      finished.add(one.id);
      if ('error' in one) {
        found.push({ id: one.id, ...place, state: 'unreadable', createdAt: null, why: one.error.message });
        continue;
      }
      const { createdAt, source, tables, parts, rows, bytes, lsn } = one.manifest;
      const sizes = { tables: tables.length, parts: parts.length, rows, bytes, lsn };
      found.push({ id: one.id, ...place, state: 'finished', createdAt, source: source.region, ...sizes });
    }
    for (const { id, startedAt } of await listBegun(store))
      if (!finished.has(id)) found.push({ id, ...place, state: 'begun', createdAt: startedAt });
  }
  const snapshots = found.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return {
    document: { schemaVersion: 1, snapshots },
    records: snapshots,
    table: (paint) =>
      snapshots.length === 0
        ? 'no snapshots'
        : paint.table(
            ['snapshot', 'tenant', 'of', 'store', 'state', 'at', 'tables', 'rows', 'bytes'],
            snapshots.map((one) => [
              one.id,
              one.tenant,
              one.source ?? '',
              one.store,
              one.state,
              one.createdAt ?? one.why ?? '',
              one.tables === undefined ? '' : String(one.tables),
              one.rows === undefined ? '' : countText(one.rows),
              one.bytes === undefined ? '' : bytesText(one.bytes),
            ]),
          ),
  };
};

export const showSnapshot = async (host: Host, id: string, where: Where): Promise<Outcome> =>
  await withSnapshot(host, id, where, ({ manifest, store }) =>
    Promise.resolve({
      document: { ...manifest, store: store.place },
      table: (paint) => {
        const { source, createdAt, lsn, tables, format, compression, merkleRoot } = manifest;
        return [
          `${paint.bold(manifest.id)}: ${manifest.tenant} of ${source.region} (${source.database}) at ${createdAt}, log position ${lsn}`,
          `store: ${store.place}; ${format}, ${compression === 'none' ? 'not compressed' : compression}; Merkle root ${merkleRoot}`,
          paint.table(
            ['table', 'columns', 'redacted', 'rows', 'bytes', 'parts'],
            tables.map(({ table, columns, dropped, rows, bytes, parts }) => [
              table,
              String(columns.length),
              [
                ...columns.flatMap(({ name, action }) => (action === 'allow' ? [] : [`${name}: ${action}`])),
                ...dropped.map((name) => `${name}: drop`),
              ].join(', '),
              countText(rows),
              bytesText(bytes),
              String(parts),
            ]),
          ),
        ].join('\n');
      },
    }),
  );
