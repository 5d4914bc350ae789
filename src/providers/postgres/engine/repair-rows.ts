/** Runs a step that repairs rows: in small transactions, each of which leaves rows that are mended for good. */

import type { Client } from 'pg';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { RepairRows } from '../../../core/plan/plan.ts';
import type { RepairedRows } from '../../../core/replication/engine.ts';
import type { PlannedRow } from '../../../core/validation/compare/planned-row.ts';
import { repairFindings } from '../../../core/validation/compare/repair-findings.ts';
import { disconnect } from '../connect.ts';
import { chooseHashing } from '../verify/hashing.ts';
import { mendRows, type Mended } from '../verify/mend-rows.ts';
import { prepareSession } from '../verify/session.ts';
import { unitsOf, type TableUnit } from '../verify/unit.ts';
import { isCarried, readLinks } from './compare-links.ts';
import { linksNamed, readSides, type EngineParts } from './parts.ts';
import { tableOfLinks } from './verify-links.ts';

/** Rows of one transaction: the applier waits for its end. */
const AT_ONCE = 50;
/** A table that is written without an end is given up after so many attempts, each of seconds. */
const ATTEMPTS = 20;
const PAUSE_MS = 1_000;

/** A unique value that a wrong row holds has to be free before the right row takes it. */
const ORDER = { extra: 0, changed: 1, missing: 2 } as const;

export const repairRows = async (
  parts: EngineParts,
  step: RepairRows,
  signal: AbortSignal,
): Promise<RepairedRows> => {
  const { options, sessions } = parts;
  await refuseHeld(parts, step);
  const unit = await unitOf(parts, step);
  await using opened = new AsyncDisposableStack();
  const source = opened.adopt(await sessions.source('reader'), (client) => disconnect(client));
  const target = opened.adopt(await sessions.target('copier'), (client) => disconnect(client));
  await Promise.all([prepareSession(source), prepareSession(target)]);
  if (step.hashing === 'server' && (await chooseHashing(source, target)) !== 'server')
    throw new XcError('XC-3001', {
      subject: step.table,
      why: 'the two servers do not hash alike any more, so its digests say nothing',
    });
  const context = {
    source,
    target,
    unit,
    seed: step.seed,
    hashing: step.hashing,
    clock: options.clock,
    signal,
    seal: sealOf(parts, step),
  };
  const total = { rows: 0, deleted: 0, equal: 0 };
  const moved: PlannedRow[] = [];
  const refused: Mended['refused'][number][] = [];
  const busy: PlannedRow[] = [];
  for (const rows of portions(step, unit)) {
    const mended = await persisting(parts, signal, () => mendRows(context, rows));
    if (!mended) {
      busy.push(...rows);
      continue;
    }
    total.rows += mended.rows;
    total.deleted += mended.deleted;
    total.equal += mended.equal;
    moved.push(...mended.moved);
    refused.push(...mended.refused);
  }
  const keyColumns = unit.key.map(({ name }) => name);
  return {
    ...total,
    left: moved.length + refused.length + busy.length,
    findings: repairFindings({ table: step.table, links: unit.linksOf, keyColumns, moved, refused, busy }),
  };
};

/** A link that stands still is not known to be where its stream is. */
const refuseHeld = async ({ control }: EngineParts, { links }: RepairRows): Promise<void> => {
  const states = await readLinks(await control.reader(), links);
  for (const link of links) {
    const state = states.get(link)?.state;
    if (!isCarried(state))
      throw new XcError('XC-5004', {
        subject: link,
        why: state === undefined ? 'it was never run' : `it is ${state}`,
      });
  }
};

const unitOf = async (parts: EngineParts, { table, links: names }: RepairRows): Promise<TableUnit> => {
  const links = linksNamed(parts, names);
  const { source, target, tables } = await readSides(parts, links);
  const facts = source.tables.get(table);
  if (!facts || !names.every((link) => tables.get(link)!.has(table)))
    throw new XcError('XC-3001', { subject: table, why: 'its links do not carry it any more' });
  const { options } = parts;
  const [unit, ...more] = unitsOf(tableOfLinks(facts, links, null, { options, source, target }));
  if (!unit || more.length > 0)
    throw new XcError('XC-3001', { subject: table, why: 'its links have different columns or actions now' });
  return unit;
};

/** Where no part of a key can be asked for at the source, every asking reads all rows: once has to do. */
const portions = ({ rows }: RepairRows, { key, redacted }: TableUnit): PlannedRow[][] => {
  const canBeAsked = key.length > 0 ? key.some(({ action }) => action.kind === 'allow') : !redacted;
  const size = canBeAsked ? AT_ONCE : Math.max(1, rows.length);
  const sorted = rows.toSorted((a, b) => ORDER[a.kind] - ORDER[b.kind]);
  return Array.from({ length: Math.ceil(sorted.length / size) }, (_, at) =>
    sorted.slice(at * size, (at + 1) * size),
  );
};

const persisting = async (
  { options }: EngineParts,
  signal: AbortSignal,
  work: () => Promise<Mended | null>,
): Promise<Mended | null> => {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const mended = await work();
    if (mended || attempt === ATTEMPTS) return mended;
    options.progress.note('the table is being written; trying again');
    await options.clock.sleep(PAUSE_MS, signal);
  }
};

const sealOf =
  ({ options }: EngineParts, { epoch, table, rows: planned }: RepairRows) =>
  async (
    target: Client,
    { rows, deleted }: { readonly rows: number; readonly deleted: number },
  ): Promise<void> => {
    const found = await target.query<{ epoch: string }>('SELECT last_value::text AS epoch FROM xcrepl.epoch');
    const now = Number(found.rows[0]?.epoch);
    if (now !== epoch)
      throw new XcError('XC-3002', {
        subject: options.stream.target.region,
        why: `epoch is ${now}, the plan is good for ${epoch}`,
      });
    await target.query(
      'INSERT INTO xcrepl.audit_outbox (stream, run, action, subject, facts) VALUES ($1, $2, $3, $4, $5)',
      [
        options.stream.key,
        options.run,
        'rows.repaired',
        table,
        JSON.stringify({ rows, deleted, planned: planned.length }),
      ],
    );
  };
