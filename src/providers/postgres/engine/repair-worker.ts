/** Compares one chunk after the other, and replaces on the target what differs. Holds its sessions. */

import type { Client } from 'pg';
import { XcError } from '../../../core/errors/xc-error.ts';
import { differingBuckets, rowsOf } from '../../../core/validation/compare/buckets.ts';
import type { Chunk } from '../../../core/validation/compare/side.ts';
import { disconnect } from '../connect.ts';
import { codeOf } from '../pg-error.ts';
import { literal } from '../quote.ts';
import { wholeBuckets } from '../verify/chunks.ts';
import { chooseHashing, type Hashing } from '../verify/hashing.ts';
import { runnerSide } from '../verify/runner-side.ts';
import { prepareSession, WRITING_SETTINGS } from '../verify/session.ts';
import { bucketRowsSql, type SqlContext } from '../verify/sql.ts';
import { sqlSide } from '../verify/sql-side.ts';
import { unitsOf, type TableUnit } from '../verify/unit.ts';
import { CopyWorker, SNAPSHOT_GONE, type ChunkWork } from './copy-worker.ts';
import type { StoredChunk } from './chunk-store.ts';
import type { RepairParts } from './repair-chunks.ts';
import { tableOfLinks } from './verify-links.ts';

export interface RepairedChunk {
  /** Written to the target. */
  readonly rows: number;
  readonly bytes: number;
  readonly compared: number;
  readonly deleted: number;
}

export class RepairWorker implements AsyncDisposable {
  readonly #parts: RepairParts;
  readonly #source: Client;
  readonly #target: Client;
  readonly #copier: CopyWorker;
  readonly #hashing: Hashing;

  private constructor(
    parts: RepairParts,
    source: Client,
    target: Client,
    copier: CopyWorker,
    hashing: Hashing,
  ) {
    this.#parts = parts;
    this.#source = source;
    this.#target = target;
    this.#copier = copier;
    this.#hashing = hashing;
  }

  static async open(parts: RepairParts): Promise<RepairWorker> {
    const { sessions, snapshot, options } = parts.context;
    const opened = new AsyncDisposableStack();
    try {
      const source = opened.adopt(await sessions.source('reader'), (client) => disconnect(client));
      const target = opened.adopt(await sessions.target('control'), (client) => disconnect(client));
      await Promise.all([prepareSession(source), prepareSession(target)]);
      const copier = opened.use(
        await CopyWorker.open(sessions, snapshot, options.run, WRITING_SETTINGS, options.pace),
      );
      const hashing = await chooseHashing(source, target);
      opened.move();
      return new RepairWorker(parts, source, target, copier, hashing);
    } catch (error) {
      await opened.disposeAsync();
      throw error;
    }
  }

  /** @throws ServerError, XcError; after one the worker is of no use */
  async repair(work: ChunkWork, stored: StoredChunk, signal: AbortSignal): Promise<RepairedChunk> {
    const context = this.#contextOf(work, stored);
    const chunk: Chunk = { after: null, upTo: null, buckets: this.#buckets() };
    const compared = await this.#compare(context, chunk, signal);
    if (compared.differing.length === 0) {
      await this.#copier.keep(work);
      return { rows: 0, bytes: 0, compared: compared.rows, deleted: 0 };
    }
    const buckets = canBeSelected(context.unit) ? compared.differing : null;
    const columns = work.sql.source.slice(0, work.sql.source.indexOf(' FROM '));
    const format = work.sql.source.slice(work.sql.source.lastIndexOf(') TO STDOUT'));
    const sql = {
      source: `${columns} ${bucketRowsSql(context, chunk, buckets)}${format}`,
      target: work.sql.target,
    };
    const clear = `DELETE ${bucketRowsSql({ ...context, side: 'target' }, chunk, buckets)}`;
    const { rows, bytes, cleared } = await this.#copier.copy({ ...work, sql }, signal, clear);
    return { rows, bytes, compared: compared.rows, deleted: cleared };
  }

  #contextOf({ group }: ChunkWork, { cutColumn, lower, upper }: StoredChunk): SqlContext {
    const { source: facts, context } = this.#parts;
    const units = unitsOf(tableOfLinks(facts, group.links, null, context));
    const [unit] = units;
    // Links that have the whole table are each a unit of the same rows; links of tenants are one together.
    if (!unit || (units.length > 1 && unit.scope !== null))
      throw new XcError('XC-9001', { subject: facts.name, why: 'links of one copy are compared apart' });
    const column = unit.columns.find(({ name }) => name === cutColumn);
    return {
      unit,
      side: 'source',
      range: [],
      seed: SEED,
      hashing: this.#hashing,
      ...(column ? { within: { column, lower, upper } } : {}),
    };
  }

  #buckets(): number {
    const { step, chunks } = this.#parts;
    return wholeBuckets(Math.ceil(step.rows / Math.max(1, chunks.length)));
  }

  async #compare(
    context: SqlContext,
    chunk: Chunk,
    signal: AbortSignal,
  ): Promise<{ readonly differing: readonly number[]; readonly rows: number }> {
    await this.#beginAtSnapshot();
    const [source, target] = await Promise.all([
      (context.unit.redacted ? runnerSide : sqlSide)(this.#source, context).digests(chunk, null, signal),
      sqlSide(this.#target, { ...context, side: 'target' }).digests(chunk, null, signal),
    ]);
    await this.#source.query('COMMIT');
    const differing = differingBuckets(chunk, source, target).map(({ bucket }) => bucket);
    return { differing, rows: Math.max(rowsOf(source), rowsOf(target)) };
  }

  async #beginAtSnapshot(): Promise<void> {
    const { name } = this.#parts.context.snapshot;
    try {
      await this.#source.query(
        `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT ${literal(name)}`,
      );
    } catch (error) {
      if (!SNAPSHOT_GONE.has(codeOf(error))) throw error;
      throw new XcError('XC-6001', { subject: `snapshot ${name}`, why: String(error), cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([
      disconnect(this.#source),
      disconnect(this.#target),
      this.#copier[Symbol.asyncDispose](),
    ]);
  }
}

/** A repair looks once, under one snapshot: nothing would be thrown anew by another seed. */
const SEED = '';

/**
 * Whether the source can say in SQL which rows are of a bucket: not where the key, or the row that stands for it, is
 * redacted first. Then the whole chunk is replaced.
 */
const canBeSelected = (unit: TableUnit): boolean =>
  unit.key.length > 0 ? unit.key.every((column) => column.action.kind === 'allow') : !unit.redacted;
