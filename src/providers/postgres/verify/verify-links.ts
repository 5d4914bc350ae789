/**
 * Verifies links: the rows that they carry are the same on both sides, at a position that both have passed. Reads only;
 * the one thing that it writes is the marker, through the engine's port.
 */

import type { Client } from 'pg';
import type { Lsn } from '../../../core/change/lsn.ts';
import { isXcError } from '../../../core/errors/xc-error.ts';
import type { Clock, Random } from '../../../core/time/clock.ts';
import { seededRandom } from '../../../core/time/seeded-random.ts';
import type { TableDifferences } from '../../../core/replication/engine.ts';
import type { TableName } from '../../../core/topology/table.ts';
import {
  COMPARE_LIMITS,
  compareUnit,
  type CompareLimits,
  type CompareMemory,
} from '../../../core/validation/compare/compare-unit.ts';
import type { Marker } from '../../../core/validation/compare/side.ts';
import {
  findingOf,
  tableVerdict,
  type TableVerdict,
  type UnitOutcome,
} from '../../../core/validation/compare/table-verdict.ts';
import type { Finding } from '../../../core/validation/finding.ts';
import { disconnect } from '../connect.ts';
import { pgError } from '../pg-error.ts';
import { chunksOf, rangeColumns } from './chunks.ts';
import { chooseHashing, type Hashing } from './hashing.ts';
import { runnerSide } from './runner-side.ts';
import { ordersByBytes, prepareSession } from './session.ts';
import type { SqlContext } from './sql.ts';
import { sqlSide } from './sql-side.ts';
import { findStrays } from './strays.ts';
import { unitsOf, type TableUnit } from './unit.ts';
import type { VerifyTable } from './verify-table.ts';

export interface VerifyLimits extends CompareLimits {
  /** Rows of one chunk of a range. */
  readonly chunkRows: number;
  /** Keys named for each table. */
  readonly maxKeysNamed: number;
  /** Tables compared side by side; each takes one session on either server. */
  readonly parallel: number;
}

export const VERIFY_LIMITS: VerifyLimits = {
  ...COMPARE_LIMITS,
  chunkRows: 20_000,
  maxKeysNamed: 20,
  parallel: 2,
};

export interface VerifyRequest {
  /** A connected session of its own, each time. */
  readonly source: () => Promise<Client>;
  readonly target: () => Promise<Client>;
  readonly tables: readonly VerifyTable[];
  /** Called from several tables at once. */
  readonly marker: Marker;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits?: Partial<VerifyLimits>;
  /** Share to look at, 0 < sample ≤ 1; everything where absent. */
  readonly sample?: number;
  /** 16 hexadecimal digits: draws the same sample again. New where absent. */
  readonly seed?: string;
  /** Where a comparison that was cut off goes on from, by unit; and where it is kept. */
  readonly memory?: CompareMemory;
  /** Also look for rows on the target that belong to none of the tenants: one more scan a table. */
  readonly strays?: boolean;
  readonly signal: AbortSignal;
  readonly progress?: (progress: { table: TableName; chunks: number; rows: number }) => void;
}

export interface VerifyResult {
  /** In the order of the request. */
  readonly tables: readonly TableVerdict[];
  /** One a table, and one for each table with rows of other tenants. */
  readonly findings: readonly Finding[];
  readonly differences: readonly TableDifferences[];
  /** Marker that the target had passed before the first row was compared. */
  readonly position: Lsn;
  /** Of this verification's hashes and sample. */
  readonly seed: string;
}

/**
 * @throws XcError XC-4002 when a side may not be read whole (also row security), XC-6001 when one cannot be reached,
 *   XC-5103 when a table cannot be compared; what the marker throws; the signal's reason
 */
export const verifyLinks = async (request: VerifyRequest): Promise<VerifyResult> => {
  const limits = { ...VERIFY_LIMITS, ...request.limits };
  const position = await request.marker.emit(request.signal);
  await request.marker.passed(position, request.signal);
  const seed = request.seed ?? seedOf(request.random);
  const outcomes = new Map<VerifyTable, UnitOutcome[]>();
  const strays = new Map<VerifyTable, Finding>();
  // The largest first, so that no session is left with one at the end.
  const bySize = request.tables.toSorted((a, b) => b.estimatedRows - a.estimatedRows);
  const jobs: Job[] = bySize.flatMap((table) => [
    ...unitsOf(table).map((unit, number): Job => async (sessions, signal) => {
      const name = `${table.table} ${number}`;
      const outcome = await compare({ unit, name }, sessions, seed, limits, { ...request, signal });
      outcomes.set(table, [...(outcomes.get(table) ?? []), outcome]);
    }),
    ...(request.strays === true
      ? [
          async ({ target }: Sessions) => {
            const finding = await findStrays(target, table);
            if (finding) strays.set(table, finding);
          },
        ]
      : []),
  ]);
  await runJobs(jobs, request, limits.parallel);
  const tables = request.tables.map((table) =>
    tableVerdict(table.table, outcomes.get(table) ?? [], request.sample ?? 1, limits.maxKeysNamed),
  );
  const differences = request.tables.flatMap((table) =>
    (outcomes.get(table) ?? []).flatMap((outcome) => differencesOf(table.table, outcome)),
  );
  return { tables, findings: [...tables.map(findingOf), ...strays.values()], differences, position, seed };
};

const differencesOf = (table: TableName, { result, linksOf, hashing }: UnitOutcome): TableDifferences[] =>
  result.differences.length === 0
    ? []
    : [
        {
          table,
          links: [...linksOf.values()].flat(),
          hashing,
          rows: result.differences,
          atLeast: !result.complete,
        },
      ];

/** 16 hexadecimal digits, new for every verification. */
const seedOf = (random: Random): string =>
  Array.from({ length: 16 }, () => Math.floor(random.next() * 16).toString(16)).join('');

interface Sessions {
  readonly source: Client;
  readonly target: Client;
  readonly textsByBytes: boolean;
  readonly hashing: Hashing;
}

type Job = (sessions: Sessions, signal: AbortSignal) => Promise<void>;

const compare = async (
  { unit, name }: { readonly unit: TableUnit; readonly name: string },
  sessions: Sessions,
  seed: string,
  limits: VerifyLimits,
  request: VerifyRequest,
): Promise<UnitOutcome> => {
  const range = rangeColumns(unit, sessions.textsByBytes);
  const source: SqlContext = { unit, side: 'source', range, seed, hashing: sessions.hashing };
  await preferIndexes(sessions, range.length > 0);
  const linksOf = await linksByText(unit, sessions.source);
  const result = await compareUnit(
    {
      chunks: (after, signal) => chunksOf(sessions.source, source, limits.chunkRows, after, signal),
      source: (unit.redacted ? runnerSide : sqlSide)(sessions.source, source),
      target: sqlSide(sessions.target, { ...source, side: 'target' }),
    },
    {
      ...request,
      limits,
      random: seededRandom(`${seed} ${name}`),
      sample: request.sample ?? 1,
      progress: (chunks, rows) => request.progress?.({ table: unit.table.table, chunks, rows }),
      settled: async (progress) => request.memory?.write(name, progress),
    },
    request.memory?.read(name) ?? null,
  );
  const method = unit.redacted ? 'through-runner' : 'in-server';
  return { result, linksOf, keyColumns: unit.table.keyColumns, method, hashing: sessions.hashing };
};

/**
 * Ranges are read by the key's index. Without statistics, which a table that was just copied has none of, the planner
 * takes a range of several columns for a large part of the table, and would read all of it for each chunk.
 */
const preferIndexes = async ({ source, target }: Sessions, ranges: boolean): Promise<void> => {
  const sql = `SET enable_seqscan = ${ranges ? 'off' : 'on'}`;
  await Promise.all([source.query(sql), target.query(sql)]);
};

/** Tenant values as the server prints them, which may differ from how they were configured: 042 is 42. */
const linksByText = async (
  { scope, linksOf }: TableUnit,
  source: Client,
): Promise<UnitOutcome['linksOf']> => {
  if (!scope || linksOf.size < 2 || scope.column.source.schema !== 'pg_catalog') return linksOf;
  const { schema, name } = scope.column.source;
  const { rows } = await source.query<{ given: string; printed: string }>(
    `SELECT given, given::"${schema}"."${name}"::text AS printed FROM unnest($1::text[]) AS given`,
    [scope.values],
  );
  return new Map(rows.map(({ given, printed }) => [printed, linksOf.get(given) ?? []]));
};

/** Runs the jobs on at most `parallel` pairs of sessions. The first failure stops the others. */
const runJobs = async (jobs: readonly Job[], request: VerifyRequest, parallel: number): Promise<void> => {
  const stop = new AbortController();
  const signal = AbortSignal.any([request.signal, stop.signal]);
  const queue = [...jobs];
  const work = async (): Promise<void> => {
    try {
      await withSessions(request, signal, async (sessions) => {
        for (let job = queue.shift(); job; job = queue.shift()) {
          signal.throwIfAborted();
          await job(sessions, signal);
        }
      });
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  };
  const workers = Array.from({ length: Math.min(parallel, jobs.length) }, work);
  const settled = await Promise.allSettled(workers);
  request.signal.throwIfAborted();
  // A worker that was stopped by another one's failure has that failure as its reason.
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed) throw stop.signal.reason;
};

const withSessions = async (
  { source: openSource, target: openTarget }: VerifyRequest,
  signal: AbortSignal,
  use: (sessions: Sessions) => Promise<void>,
): Promise<void> => {
  const open: Client[] = [];
  // Hanging up is what ends a statement under way; the server notices within seconds (session.ts).
  const hangUp = (): void => open.forEach((client) => void disconnect(client, 0));
  signal.addEventListener('abort', hangUp, { once: true });
  try {
    const source = await openSource();
    open.push(source);
    const target = await openTarget();
    open.push(target);
    signal.throwIfAborted();
    await Promise.all([prepareSession(source), prepareSession(target)]);
    const textsByBytes = (await Promise.all([ordersByBytes(source), ordersByBytes(target)])).every(Boolean);
    await use({ source, target, textsByBytes, hashing: await chooseHashing(source, target) });
  } catch (error) {
    signal.throwIfAborted();
    throw isXcError(error) ? error : pgError(error, 'verification');
  } finally {
    signal.removeEventListener('abort', hangUp);
    await Promise.all(open.map((client) => disconnect(client)));
  }
};
