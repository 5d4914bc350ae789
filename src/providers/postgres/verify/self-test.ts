/**
 * Tests verification on the tables that it is asked about: plants a changed, a missing and an extra row in scratch
 * copies, and has them compared by `verifyLinks`, as the tables themselves are. The tables are only read.
 */

import { ZERO_LSN } from '../../../core/change/lsn.ts';
import {
  judgePlantings,
  type Planted,
  type Planting,
  type SelfTestedTable,
} from '../../../core/validation/compare/self-test.ts';
import type { NamedKey } from '../../../core/validation/finding.ts';
import { disconnect } from '../connect.ts';
import { prepareSession } from './session.ts';
import { Scratch, type ScratchSessions } from './scratch.ts';
import { unitsOf, type TableUnit } from './unit.ts';
import { verifyLinks, type VerifyRequest } from './verify-links.ts';
import type { VerifyTable } from './verify-table.ts';

export type SelfTestRequest = Pick<
  VerifyRequest,
  'source' | 'target' | 'tables' | 'clock' | 'random' | 'signal'
>;

/** Enough to plant in, few enough to be nothing beside the table. */
const ROWS = 20;

/** Named keys of a scratch copy: more than were planted, so that a comparison which names too many shows. */
const KEYS = 50;

/** @throws XcError XC-6001 when a side cannot be reached, XC-5103; the signal's reason */
export const selfTest = async (request: SelfTestRequest): Promise<SelfTestedTable[]> => {
  const tested: SelfTestedTable[] = [];
  for (const table of request.tables)
    for (const unit of unitsOf(table)) {
      request.signal.throwIfAborted();
      tested.push(await testUnit(unit, request));
    }
  return tested;
};

const testUnit = async (unit: TableUnit, request: SelfTestRequest): Promise<SelfTestedTable> => {
  const about = { table: unit.table.table, links: [...unit.linksOf.values()].flat() };
  const done = await plantAndCompare(unit, request);
  return { ...about, ...done, ...judgePlantings(done.plantings) };
};

type Done = Pick<SelfTestedTable, 'rows' | 'note'> & { readonly plantings: readonly Planting[] };

const plantAndCompare = async (unit: TableUnit, request: SelfTestRequest): Promise<Done> => {
  const rows: number[] = [];
  const together = await withScratch(unit, request, ROWS, async (scratch, compare) => {
    rows.push(...scratch.rows);
    // Rows without a key are told apart by their values, so that equal ones would stand for each other.
    if (rows.length < 3 || unit.key.length === 0) return null;
    const changed = await plantChanged(scratch, rows);
    const [missing, extra] = rows.filter((row) => row !== changed?.row);
    const planted = [changed, await plantMissing(scratch, missing!), await plantExtra(scratch, extra!)];
    return { planted: planted.flatMap((each) => each ?? []), named: await compare() };
  });
  if (rows.length === 0) return { rows: 0, note: 'the table has no row to test with', plantings: [] };
  const plantings = together ? [together] : await oneByOne(unit, request);
  const isChanged = plantings.some(({ planted }) => planted.some(({ kind }) => kind === 'changed'));
  const note = isChanged ? null : 'no row could be changed: outside the key no column has a value';
  return { rows: rows.length, note, plantings };
};

const oneByOne = async (unit: TableUnit, request: SelfTestRequest): Promise<Planting[]> => {
  const plantings: Planting[] = [];
  for (const plant of [plantChangedIn, plantMissing, plantExtra])
    await withScratch(unit, request, 1, async (scratch, compare) => {
      const [row] = scratch.rows;
      const planted = row === undefined ? null : await plant(scratch, row);
      if (planted) plantings.push({ planted: [planted], named: await compare() });
    });
  return plantings;
};

interface PlantedRow extends Planted {
  readonly row: number;
}

const plantChanged = async (scratch: Scratch, rows: readonly number[]): Promise<PlantedRow | null> => {
  for (const row of rows) {
    const key = await scratch.key(row);
    if (await scratch.change(row)) return { kind: 'changed', key, row };
  }
  return null;
};

const plantChangedIn = (scratch: Scratch, row: number): Promise<PlantedRow | null> =>
  plantChanged(scratch, [row]);

const plantMissing = async (scratch: Scratch, row: number): Promise<PlantedRow> => {
  const key = await scratch.key(row);
  await scratch.remove('target', row);
  return { kind: 'missing', key, row };
};

const plantExtra = async (scratch: Scratch, row: number): Promise<PlantedRow> => {
  const key = await scratch.key(row);
  await scratch.remove('source', row);
  return { kind: 'extra', key, row };
};

type Compare = () => Promise<readonly NamedKey[]>;

const withScratch = async <T>(
  unit: TableUnit,
  request: SelfTestRequest,
  rows: number,
  use: (scratch: Scratch, compare: Compare) => Promise<T>,
): Promise<T> => {
  await using opened = new AsyncDisposableStack();
  const source = opened.adopt(await request.source(), (client) => disconnect(client));
  const target = opened.adopt(await request.target(), (client) => disconnect(client));
  const sessions: ScratchSessions = { source, target };
  for (const client of [source, target]) {
    await prepareSession(client);
    await client.query('SET default_transaction_read_only = off');
  }
  const scratch = await Scratch.make(sessions, unit, rows);
  return await use(scratch, () => compare(scratch.table, sessions, request));
};

const compare = async (
  table: VerifyTable,
  { source, target }: ScratchSessions,
  { clock, random, signal }: SelfTestRequest,
): Promise<readonly NamedKey[]> => {
  const { tables } = await verifyLinks({
    source: () => Promise.resolve(source),
    target: () => Promise.resolve(target),
    tables: [table],
    // Nobody else sees these tables: there is nothing to wait for.
    marker: { emit: () => Promise.resolve(ZERO_LSN), passed: () => Promise.resolve() },
    clock: { nowMs: () => clock.nowMs(), sleep: () => Promise.resolve() },
    random,
    signal,
    limits: { maxKeysNamed: KEYS },
  });
  return tables.flatMap(({ keys }) => keys);
};
