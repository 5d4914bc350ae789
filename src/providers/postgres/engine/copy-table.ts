/**
 * Copies one table for the links that need it: cuts it once, then copies what is not done, several chunks side by side.
 * Called again after a crash it goes on with the chunks that are missing, under a snapshot of then.
 */

import PQueue from 'p-queue';
import type { CopyTable } from '../../../core/plan/plan.ts';
import { namingRow } from './untranslatable-copy.ts';
import { rowScope } from '../../../core/plan/scope.ts';
import type { Notes } from '../../../core/replication/describe-relation.ts';
import type { Copied } from '../../../core/replication/engine.ts';
import { chooseCut, chooseRepairCut, mixesSnapshots, PAGES } from '../../../core/replication/cut.ts';
import type { Link, LinkId } from '../../../core/topology/link.ts';
import { tableName, type Catalogue, type TableFacts } from '../../../core/topology/table.ts';
import { ident, rowsOf } from '../quote.ts';
import { clearStatements } from './existing-rows.ts';
import { expectPlaces } from './copy-places.ts';
import { copiesAsText, copyGroups, copyPredicate, copyStatements, type CopyGroup } from './copy-groups.ts';
import { standingOf } from './copy-stands.ts';
import { CopyWorker, type ChunkWork } from './copy-worker.ts';
import type { ChunkStore, StoredChunk } from './chunk-store.ts';
import type { EngineOptions } from './options.ts';
import type { Sides } from './parts.ts';
import { repairChunks } from './repair-chunks.ts';
import type { Sessions } from './sessions.ts';
import type { HeldSnapshot } from './snapshots.ts';
import type { TenantValues } from './tenant-values.ts';

/** What the copies of one slot share: one snapshot, what both sides look like, and workers that are free. */
export interface CopySession extends AsyncDisposable {
  readonly snapshot: HeldSnapshot;
  /** As they were when the session began. */
  readonly sides: Sides;
  readonly source: Catalogue;
  readonly target: Catalogue;
  readonly tenants: TenantValues;
  /** Names that columns had, by the table's OID. */
  readonly notes: Notes;
  /** A worker that nobody uses now. */
  readonly take: () => CopyWorker | undefined;
  /** Keeps a worker for whoever takes it next; closes it where the session is over. */
  readonly give: (worker: CopyWorker) => Promise<void>;
}

export const openCopySession = (
  parts: Pick<CopySession, 'snapshot' | 'sides' | 'tenants' | 'notes'>,
): CopySession => {
  const idle: CopyWorker[] = [];
  let over = false;
  return {
    ...parts,
    source: parts.sides.source,
    target: parts.sides.target,
    take: () => idle.pop(),
    async give(worker) {
      if (over) await worker[Symbol.asyncDispose]();
      else idle.push(worker);
    },
    async [Symbol.asyncDispose]() {
      over = true;
      await Promise.all(idle.splice(0).map((worker) => worker[Symbol.asyncDispose]()));
      await parts.snapshot[Symbol.asyncDispose]();
    },
  };
};

export interface CopyContext extends CopySession {
  readonly options: EngineOptions;
  readonly sessions: Sessions;
  readonly chunks: ChunkStore;
  readonly links: readonly Link[];
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
  expectPlaces(context.links, groups, source, target, context);
  const first = await freeWorker(context);
  let stored: readonly StoredChunk[];
  try {
    stored = await context.chunks.read(step.slot, step.table);
    const anew = mustBeginAnew(stored, source, first.snapshot);
    if (anew || stored.length === 0) {
      // Without an earlier attempt of ours, rows that are there belong to somebody else.
      const clear =
        !step.repair && (anew || context.options.existing === 'replace')
          ? clearStatements(context.links, target)
          : [];
      stored = await cutTable(step, groups, source, target, context, first);
      await context.chunks.write(step.slot, step.table, stored, clear);
    }
  } catch (error) {
    await first[Symbol.asyncDispose]();
    throw error;
  }
  await context.give(first);
  const text = groups.some(({ plan }) => copiesAsText(source, target, plan, context));
  const todo = stored.filter((chunk) => !chunk.done);
  const works = todo.map((chunk) => chunkWork(step, chunk, groups, source, target, text, context));
  return step.repair
    ? await repairChunks({ works, chunks: todo, step, source, target, context }, signal)
    : await copyAll(works, source, context, signal);
};

const freeWorker = async ({ take, sessions, snapshot, options }: CopyContext): Promise<CopyWorker> =>
  take() ?? (await CopyWorker.open(sessions, snapshot, options.run, {}, options.pace));

/**
 * Some chunks are done under a snapshot that is gone, others are not done, and the two cannot be put together: pages are
 * of one snapshot, and rows of two could meet in a unique constraint.
 */
const mustBeginAnew = (stored: readonly StoredChunk[], source: TableFacts, snapshot: string): boolean =>
  stored.some((chunk) => chunk.done && chunk.snapshot !== snapshot) &&
  stored.some((chunk) => !chunk.done) &&
  (stored.some((chunk) => chunk.cutColumn === PAGES) || !mixesSnapshots(source));

const cutTable = async (
  step: CopyTable,
  groups: readonly CopyGroup[],
  source: TableFacts,
  target: TableFacts,
  context: CopyContext,
  worker: CopyWorker,
): Promise<StoredChunk[]> => {
  const scopeColumn = rowScope(context.links[0]!)?.column ?? null;
  const choose = (): ReturnType<typeof chooseCut> =>
    step.repair ? chooseRepairCut(source, target, scopeColumn) : chooseCut(source, scopeColumn);
  const cut = step.chunks > 1 ? choose() : null;
  const column = cut === null || cut === PAGES ? cut : cut.name;
  const chunks: StoredChunk[] = [];
  for (const { links } of groups) {
    const bounds =
      column === null
        ? []
        : column === PAGES
          ? await pageBounds(step, source, worker)
          : await keyBounds(step, column, links, source, worker);
    for (const [index, lower] of [null, ...bounds].entries())
      chunks.push({
        table: step.table,
        chunk: chunks.length,
        links: links.map((link) => link.id),
        cutColumn: column,
        lower,
        upper: bounds[index] ?? null,
        snapshot: null,
        position: null,
        done: false,
      });
  }
  return chunks;
};

/** Even ranges of pages. The last is open: pages that came after have no row that the snapshot shows. */
const pageBounds = async (step: CopyTable, source: TableFacts, worker: CopyWorker): Promise<string[]> => {
  const [pages] = await worker.read(
    `SELECT pg_relation_size(${source.oid}) / current_setting('block_size')::bigint`,
  );
  const each = Math.max(1, Math.ceil(Number(pages) / step.chunks));
  const count = Math.ceil(Number(pages) / each);
  return Array.from({ length: Math.max(0, count - 1) }, (_, index) => `(${(index + 1) * each},0)`);
};

/** Rows of the links that a sample should have: enough for quantiles that cut evenly. */
const SAMPLE_ROWS = 10_000;
/** Below this share a sample of pages may well be empty. */
const LEAST_PERCENT = 0.01;

const keyBounds = async (
  step: CopyTable,
  column: string,
  links: readonly Link[],
  source: TableFacts,
  worker: CopyWorker,
): Promise<string[]> => {
  const fractions = Array.from({ length: step.chunks - 1 }, (_, index) => (index + 1) / step.chunks);
  const rows = Math.max(step.rows || source.estimatedRows, 1);
  const percent = Math.min(100, Math.max(LEAST_PERCENT, (100 * SAMPLE_ROWS) / rows));
  const sample = percent >= 100 ? '' : ` TABLESAMPLE SYSTEM (${percent.toFixed(3)})`;
  const where = copyPredicate(links, null, { lower: null, upper: null }, step.window);
  const values = await worker.read(
    `SELECT DISTINCT b FROM (SELECT unnest(percentile_disc(ARRAY[${fractions.join(', ')}]::float8[])` +
      ` WITHIN GROUP (ORDER BY ${ident(column)})) AS b FROM ${rowsOf(source)}${sample} WHERE ${where}) AS s` +
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
  const predicate = copyPredicate(group.links, chunk.cutColumn, chunk, step.window);
  return {
    slot: step.slot,
    table: step.table,
    chunk: chunk.chunk,
    group,
    sql: copyStatements(group, source, target, predicate, text),
    text,
    standing: standingOf(source, context.source),
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
  source: TableFacts,
  context: CopyContext,
  signal: AbortSignal,
): Promise<Copied> => {
  const queue = new PQueue({ concurrency: context.options.copyWorkers });
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const total = { rows: 0, bytes: 0, chunks: 0 };
  const copyChunk = async (work: ChunkWork): Promise<void> => {
    either.throwIfAborted();
    const worker = await freeWorker(context);
    try {
      const { rows, bytes } = await worker.copy(work, either);
      context.options.progress.copied(work.table, rows, bytes);
      total.rows += rows;
      total.bytes += bytes;
      total.chunks++;
      await context.give(worker);
    } catch (error) {
      const named = await namingRow(error, work, source, context);
      stop.abort(named);
      await worker[Symbol.asyncDispose]();
      throw named;
    }
  };
  const results = await Promise.allSettled(works.map((work) => queue.add(() => copyChunk(work))));
  signal.throwIfAborted();
  if (stop.signal.aborted) throw stop.signal.reason;
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return total;
};
