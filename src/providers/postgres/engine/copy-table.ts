/**
 * Copies one table for the links that need it: cuts it once, then copies what is not done, several chunks side by side.
 * Called again after a crash it goes on with the chunks that are missing, under a snapshot of then.
 */

import PQueue from 'p-queue';
import type { CopyTable } from '../../../core/plan/plan.ts';
import { cutColumn, mixesSnapshots, type CutColumn } from '../../../core/replication/cut.ts';
import type { Link, LinkId } from '../../../core/topology/link.ts';
import { tableName, type Catalogue, type TableFacts } from '../../../core/topology/table.ts';
import { ident, rowsOf } from '../quote.ts';
import { clearStatements } from './existing-rows.ts';
import { copiesAsText, copyGroups, copyPredicate, copyStatements, type CopyGroup } from './copy-groups.ts';
import { CopyWorker, type ChunkWork } from './copy-worker.ts';
import type { LinkStore, StoredChunk } from './link-store.ts';
import type { EngineOptions } from './options.ts';
import type { Sessions } from './sessions.ts';
import type { HeldSnapshot } from './snapshots.ts';
import type { TenantValues } from './tenant-values.ts';

export interface CopyContext {
  readonly options: EngineOptions;
  readonly sessions: Sessions;
  readonly store: LinkStore;
  readonly source: Catalogue;
  readonly target: Catalogue;
  readonly tenants: TenantValues;
  readonly snapshot: HeldSnapshot;
  /** Position of the slot: chunks of an earlier snapshot than this copy's are of its own. */
  readonly links: readonly Link[];
}

export interface Copied {
  readonly rows: number;
  readonly bytes: number;
  readonly chunks: number;
}

export const copyOneTable = async (
  step: CopyTable,
  context: CopyContext,
  signal: AbortSignal,
): Promise<Copied> => {
  const source = context.source.tables.get(step.table)!;
  const target = context.target.tables.get(step.table)!;
  const groups = copyGroups(context.links, source, {
    source: context.source,
    hashKeys: context.options.hashKeys,
  });
  let stored = await context.store.chunks(step.slot, step.table);
  if (mustBeginAnew(stored, source)) stored = [];
  const first = await CopyWorker.open(context.sessions, context.snapshot, context.options.run);
  const idle = [first];
  try {
    if (stored.length === 0) stored = await cutTable(step, groups, source, target, context, first);
    const text = copiesAsText(source, context.source.types);
    const todo = stored.filter((chunk) => !chunk.done);
    const works = todo.map((chunk) => chunkWork(step, chunk, groups, source, target, text, context));
    return await copyAll(works, idle, context, signal);
  } finally {
    await Promise.all(idle.map((worker) => worker[Symbol.asyncDispose]()));
  }
};

/** Some chunks are done, others are not, and their rows could meet in a unique constraint across two snapshots. */
const mustBeginAnew = (stored: readonly StoredChunk[], source: TableFacts): boolean =>
  stored.some((chunk) => chunk.done) && stored.some((chunk) => !chunk.done) && !mixesSnapshots(source);

const cutTable = async (
  step: CopyTable,
  groups: readonly CopyGroup[],
  source: TableFacts,
  target: TableFacts,
  context: CopyContext,
  worker: CopyWorker,
): Promise<StoredChunk[]> => {
  const cut = step.chunks > 1 ? cutColumn(source) : null;
  const chunks: StoredChunk[] = [];
  for (const { links } of groups) {
    const bounds = cut ? await cutBounds(step, cut, links, source, worker) : [];
    for (const [index, lower] of [null, ...bounds].entries())
      chunks.push({
        table: step.table,
        chunk: chunks.length,
        links: links.map((link) => link.id),
        cutColumn: cut?.name ?? null,
        lower,
        upper: bounds[index] ?? null,
        snapshot: null,
        position: null,
        done: false,
      });
  }
  await context.store.writeChunks(step.slot, step.table, chunks, clearStatements(context.links, target));
  return chunks;
};

/** Rows that a sample of the table should have: enough for quantiles that cut evenly. */
const SAMPLE_ROWS = 20_000;
/** A table below this is read as a whole to find its bounds. */
const SMALL_BYTES = 64 * 2 ** 20;

const cutBounds = async (
  step: CopyTable,
  cut: CutColumn,
  links: readonly Link[],
  source: TableFacts,
  worker: CopyWorker,
): Promise<string[]> => {
  const fractions = Array.from({ length: step.chunks - 1 }, (_, index) => (index + 1) / step.chunks);
  const rows = Math.max(source.estimatedRows, 1);
  const percent =
    source.bytes <= SMALL_BYTES ? 100 : Math.min(100, Math.max(0.01, (100 * SAMPLE_ROWS) / rows));
  const sample = percent >= 100 ? '' : ` TABLESAMPLE SYSTEM (${percent.toFixed(3)})`;
  const where = copyPredicate(links, null, { lower: null, upper: null }, step.window);
  const values = await worker.read(
    `SELECT DISTINCT b FROM (SELECT unnest(percentile_disc(ARRAY[${fractions.join(', ')}]::float8[])` +
      ` WITHIN GROUP (ORDER BY ${ident(cut.name)})) AS b FROM ${rowsOf(source)}${sample} WHERE ${where}) AS s` +
      ' WHERE b IS NOT NULL ORDER BY b',
  );
  return values.filter((value) => value !== null);
};

const chunkWork = (
  step: CopyTable,
  chunk: StoredChunk,
  groups: readonly CopyGroup[],
  source: TableFacts,
  target: TableFacts,
  text: boolean,
  context: CopyContext,
): ChunkWork => {
  const group = groups.find(({ links }) => links.some((link) => link.id === chunk.links[0]))!;
  const cut = chunk.cutColumn === null ? null : { name: chunk.cutColumn, kind: 'integer' as const };
  const predicate = copyPredicate(group.links, cut, chunk, step.window);
  return {
    slot: step.slot,
    table: step.table,
    chunk: chunk.chunk,
    group,
    sql: copyStatements(group, source, target, predicate, text),
    text,
    tenants: group.links.length === 1 ? null : tenantsOf(group, source, text, context.tenants),
  };
};

const tenantsOf = (
  group: CopyGroup,
  source: TableFacts,
  text: boolean,
  values: TenantValues,
): ChunkWork['tenants'] => {
  const [first] = group.links;
  if (first?.scope.kind !== 'column') return null;
  const { column } = first.scope;
  const read = group.plan.plain ? group.plan.columns : group.plan.fields.map((field) => field.name);
  const links = new Map<string, LinkId>();
  for (const link of group.links)
    if (link.scope.kind === 'column')
      links.set(values.bytes(tableName(source), column, link.scope.value, !text), link.id);
  return { field: read.indexOf(column), links };
};

const copyAll = async (
  works: readonly ChunkWork[],
  idle: CopyWorker[],
  context: CopyContext,
  signal: AbortSignal,
): Promise<Copied> => {
  const queue = new PQueue({ concurrency: context.options.copyWorkers });
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const total = { rows: 0, bytes: 0, chunks: 0 };
  const copyChunk = async (work: ChunkWork): Promise<void> => {
    either.throwIfAborted();
    const worker =
      idle.pop() ?? (await CopyWorker.open(context.sessions, context.snapshot, context.options.run));
    try {
      const { rows, bytes } = await worker.copy(work, either);
      context.options.progress.copied(work.table, rows, bytes);
      total.rows += rows;
      total.bytes += bytes;
      total.chunks++;
      idle.push(worker);
    } catch (error) {
      stop.abort(error);
      await worker[Symbol.asyncDispose]();
      throw error;
    }
  };
  const results = await Promise.allSettled(works.map((work) => queue.add(() => copyChunk(work))));
  signal.throwIfAborted();
  if (stop.signal.aborted) throw stop.signal.reason;
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return total;
};
