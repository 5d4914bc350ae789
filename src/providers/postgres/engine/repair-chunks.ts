/**
 * Repairs chunks of a table: each is compared under the snapshot that its stream begins at, by checksums of buckets of
 * its keys, and only buckets that differ are read, in one target transaction that deletes what is there before. A chunk
 * is recorded as a copied one is, so that a repair goes on after a kill as a copy does (CORRECTNESS 7).
 */

import type { CopyTable } from '../../../core/plan/plan.ts';
import type { Copied } from '../../../core/replication/engine.ts';
import type { TableFacts } from '../../../core/topology/table.ts';
import type { CopyContext } from './copy-table.ts';
import type { ChunkWork } from './copy-worker.ts';
import type { StoredChunk } from './chunk-store.ts';
import { RepairWorker } from './repair-worker.ts';

/** Chunks compared side by side: each takes two sessions on either server. */
const PARALLEL = 2;

export interface RepairParts {
  /** In the order of the chunks. */
  readonly works: readonly ChunkWork[];
  readonly chunks: readonly StoredChunk[];
  readonly step: CopyTable;
  readonly source: TableFacts;
  readonly target: TableFacts;
  readonly context: CopyContext;
}

export const repairChunks = async (parts: RepairParts, signal: AbortSignal): Promise<Copied> => {
  const { works, chunks, context } = parts;
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const total = { rows: 0, bytes: 0, chunks: 0, compared: 0, deleted: 0 };
  const left = works.map((work, at) => ({ work, chunk: chunks[at]! }));
  const count = (done: Omit<typeof total, 'chunks'>, { table }: ChunkWork): void => {
    context.options.progress.copied(table, done.rows, done.bytes);
    total.rows += done.rows;
    total.bytes += done.bytes;
    total.compared += done.compared;
    total.deleted += done.deleted;
    total.chunks++;
  };
  const drain = async (): Promise<void> => {
    await using worker = await RepairWorker.open(parts);
    for (let next = left.shift(); next; next = left.shift()) {
      either.throwIfAborted();
      count(await worker.repair(next.work, next.chunk, either), next.work);
    }
  };
  const workers = Array.from({ length: Math.min(PARALLEL, works.length) }, async () => {
    try {
      await drain();
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  });
  const results = await Promise.allSettled(workers);
  signal.throwIfAborted();
  if (results.some((result) => result.status === 'rejected')) throw stop.signal.reason;
  return total;
};
