/** Loads the parts of a snapshot into their tables, each measured on its way. */

import { asHexDigest } from '../../core/objects/hex-digest.ts';
import { measured } from '../../core/objects/measured-body.ts';
import { resumedRead } from '../../core/objects/resumed-read.ts';
import { objectGone } from '../../core/objects/store-errors.ts';
import type { SnapshotPart } from '../../core/snapshot/manifest.ts';
import { linesOf } from '../../core/snapshot/part-lines.ts';
import type { RestoredTable } from '../../core/snapshot/restore-scope.ts';
import { RowsDigest } from '../../core/snapshot/rows-digest.ts';
import { sideBySide } from '../../core/snapshot/send-parts.ts';
import type { Link } from '../../core/topology/link.ts';
import type { TableFacts, TableName } from '../../core/topology/table.ts';
import type { RestoreTarget, RestoredPart } from '../../providers/postgres/snapshot/restore-target.ts';
import { decompressed } from '../../providers/zstd/streams.ts';
import type { Host } from '../frame/host.ts';
import type { FoundSnapshot } from './find-snapshots.ts';
import { openSpending } from './spending.ts';
import type { RestoreOptions } from './restore-view.ts';

export interface Loading {
  readonly found: FoundSnapshot;
  readonly options: RestoreOptions;
  readonly target: RestoreTarget;
  readonly tables: readonly RestoredTable[];
  readonly places: ReadonlyMap<TableName, TableFacts>;
  readonly link: Link;
  readonly before: readonly RestoredPart[];
}

/** All parts of the tables, those of before among them. */
export const loadParts = async (host: Host, loading: Loading): Promise<RestoredPart[]> => {
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
