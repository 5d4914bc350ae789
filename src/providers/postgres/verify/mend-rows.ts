/**
 * Repairs a few rows of one table in one transaction of the target, beside a stream that goes on. The table is locked
 * against writers first, the stream's applier among them, and the source is read after that: so the source shows
 * everything that the stream has applied, and what it shows beyond that comes with the stream, as whole rows, and ends
 * in the same state. Read the other way round, an older version could overwrite a newer one.
 */

import type { Client } from 'pg';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { Clock } from '../../../core/time/clock.ts';
import { digestText, keyId } from '../../../core/validation/compare/digest.ts';
import { judgeRow, type PlannedRow } from '../../../core/validation/compare/planned-row.ts';
import type { Candidate } from '../../../core/validation/compare/side.ts';
import { codeOf } from '../pg-error.ts';
import { qualified } from '../quote.ts';
import type { Hashing } from './hashing.ts';
import { readSourceRows, type SourceRows } from './source-rows.ts';
import { writersEnded } from './source-writers.ts';
import type { SqlContext } from './sql.ts';
import { readTargetRows, writeRows, type TargetRows } from './target-rows.ts';
import type { TableUnit } from './unit.ts';

export interface MendContext {
  readonly source: Client;
  /** Applies as a replica does. */
  readonly target: Client;
  readonly unit: TableUnit;
  readonly seed: string;
  readonly hashing: Hashing;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** In the transaction, after the rows: refuses it where the plan has no authority any more, and tells of it. */
  readonly seal: (
    target: Client,
    counts: { readonly rows: number; readonly deleted: number },
  ) => Promise<void>;
}

export interface Mended {
  readonly rows: number;
  readonly deleted: number;
  readonly equal: number;
  /** Written since they were planned. */
  readonly moved: readonly PlannedRow[];
  /** Not taken by the target, with its SQLSTATE and message. */
  readonly refused: readonly { readonly row: PlannedRow; readonly why: string }[];
}

/** How long the applier is kept waiting, at most, for transactions of the source to end. */
const WRITERS_MS = 2_000;
/** For the applier's batch under way; it is that long at most in nearly every case. */
const LOCK_MS = 10_000;

const WHOLE = { after: null, upTo: null, buckets: 1 };

/**
 * Null where the table is being written without an end in sight: nothing was done.
 * @throws XcError XC-5265, what `seal` throws, what the servers say
 */
export const mendRows = async (
  context: MendContext,
  planned: readonly PlannedRow[],
): Promise<Mended | null> => {
  const { source, target, unit, clock, signal } = context;
  await target.query('BEGIN READ WRITE');
  try {
    if (
      !(await lock(target, unit)) ||
      !(await writersEnded(source, unit.table.source, WRITERS_MS, clock, signal))
    ) {
      await target.query('ROLLBACK');
      return null;
    }
    await source.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const mended = await mend(context, planned);
    await source.query('COMMIT');
    if (mended.rows + mended.deleted > 0) await context.seal(target, mended);
    await target.query('COMMIT');
    return mended;
  } catch (error) {
    await Promise.allSettled([source.query('ROLLBACK'), target.query('ROLLBACK')]);
    throw error;
  }
};

const lock = async (target: Client, { table }: TableUnit): Promise<boolean> => {
  const only = table.target.partitioned ? '' : 'ONLY ';
  try {
    await target.query(
      `SET LOCAL lock_timeout = ${LOCK_MS}; LOCK TABLE ${only}${qualified(table.target)} IN SHARE ROW EXCLUSIVE MODE`,
    );
    return true;
  } catch (error) {
    if (codeOf(error) === '55P03') return false;
    throw error;
  }
};

const mend = async (context: MendContext, planned: readonly PlannedRow[]): Promise<Mended> => {
  const { source, target, unit, seed, hashing } = context;
  const candidates = planned.map(({ key, tenant }): Candidate => ({
    id: keyId(key, tenant),
    key,
    tenant,
    chunk: WHOLE,
  }));
  const there: SqlContext = { unit, side: 'target', range: [], seed, hashing };
  const [wanted, found] = await Promise.all([
    readSourceRows(source, { ...there, side: 'source' }, candidates),
    readTargetRows(target, there, candidates),
  ]);
  const done = {
    rows: 0,
    deleted: 0,
    equal: 0,
    moved: [] as PlannedRow[],
    refused: [] as Mended['refused'][number][],
  };
  const written: Candidate[] = [];
  for (const [at, row] of planned.entries()) {
    const candidate = candidates[at]!;
    const [here, now] = [wanted.get(candidate.id), found.get(candidate.id)];
    const judgement = judgeRow(row, { source: digestText(here), target: digestText(now) });
    if (judgement === 'equal') done.equal++;
    else if (judgement === 'moved') done.moved.push(row);
    else {
      const result = await writeOne(target, there, now, here);
      if (typeof result === 'string') done.refused.push({ row, why: result });
      else {
        done.rows += result.rows;
        done.deleted += result.deleted;
        written.push(candidate);
      }
    }
  }
  await readBack(target, there, written, wanted);
  return done;
};

/** @returns why the target did not take it, or what was done */
const writeOne = async (
  target: Client,
  context: SqlContext,
  now: TargetRows | undefined,
  here: SourceRows | undefined,
): Promise<string | { readonly rows: number; readonly deleted: number }> => {
  await target.query('SAVEPOINT one');
  try {
    const result = await writeRows(target, context, now, here?.values ?? []);
    await target.query('RELEASE SAVEPOINT one');
    return result;
  } catch (error) {
    // Constraints and values; anything else says nothing about the row.
    if (!/^2[23]/.test(codeOf(error))) throw error;
    await target.query('ROLLBACK TO SAVEPOINT one');
    const constraint = (error as { constraint?: string }).constraint;
    return constraint === undefined ? codeOf(error) : `${codeOf(error)} ${constraint}`;
  }
};

/** The effect, read back: what a row is after all triggers of the target. */
const readBack = async (
  target: Client,
  context: SqlContext,
  written: readonly Candidate[],
  wanted: ReadonlyMap<string, SourceRows>,
): Promise<void> => {
  if (written.length === 0) return;
  const now = await readTargetRows(target, context, written);
  const other = written.filter(({ id }) => digestText(now.get(id)) !== digestText(wanted.get(id)));
  if (other.length > 0)
    throw new XcError('XC-5265', {
      subject: context.unit.table.table,
      why: `${other.length} of ${written.length} rows, and none of them was kept`,
    });
};
