/** Runs a batch in the order of the source inside an open transaction: pipelined where possible, else step by step. */

import { INSERT, UPDATE, type Batch, type Operation, type Variant } from '../../../core/change/batch.ts';
import { unchangedFields } from '../../../core/change/coalesce.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import { blaming } from '../../../core/replication/link-fault.ts';
import type { LinkId } from '../../../core/topology/link.ts';
import { pgError } from '../pg-error.ts';
import type { WireConnection } from '../wire/connection.ts';
import { exchange, type Answer } from '../wire/exchange.ts';
import { MessageWriter } from '../wire/messages.ts';
import { isOfStatement, isRowRefusal, type ServerError } from '../wire/server-error.ts';
import type { Statements } from '../wire/statements.ts';
import { fieldValues, hasUnchanged, writeChange, writeInsert, type OrderedWriter } from './ordered-apply.ts';
import { encodingError, isUntranslatable, untranslatable } from './untranslatable.ts';
import { maskOf } from './set-apply.ts';

export interface OrderedPorts {
  tableOf: OrderedWriter['tableOf'];
  formatsOf: OrderedWriter['formatsOf'];
  reread(batch: Batch, index: number): Promise<readonly (Uint8Array | null)[] | null>;
  /** Changes of this link alone; of all links where absent. */
  readonly only?: LinkId;
  /** Changes of these variants alone; of all where absent. */
  readonly variants?: ReadonlySet<Variant>;
}

/** Tags of an update whose row is not there; a row with a new identity value is replaced by an insert. */
const FOUND_NOTHING = new Set(['UPDATE 0', 'INSERT 0 0']);

/** Changes that travel in one write: bounds what a pipeline holds on both sides. */
const PIPELINE_CHANGES = 500;

/**
 * @returns how many changes met another state of their row than the source's
 * @throws XcError XC-5204 naming table and link of a change that the target refuses
 */
export const applyOrdered = async (
  connection: WireConnection,
  statements: Statements,
  batch: Batch,
  ports: OrderedPorts,
): Promise<number> => {
  let conflicts = 0;
  let next = 0;
  while (next < batch.size) {
    if (!isWanted(batch, next, ports)) {
      next++;
      continue;
    }
    const end = pipelineEnd(batch, next, ports);
    const gap = needsReading(batch, next)
      ? next
      : await pipelined(connection, statements, batch, ports, next, end);
    if (gap === null) next = end;
    else {
      conflicts += await step(connection, statements, batch, ports, gap);
      next = gap + 1;
    }
  }
  return conflicts;
};

const isWanted = (batch: Batch, index: number, { only, variants }: OrderedPorts): boolean => {
  const route = batch.route[index]!;
  return (only === undefined || route.link === only) && (variants?.has(route.variant) ?? true);
};

const pipelineEnd = (batch: Batch, from: number, ports: OrderedPorts): number => {
  let end = from;
  for (let left = PIPELINE_CHANGES; left > 0 && end < batch.size; end++)
    if (isWanted(batch, end, ports)) left--;
  return end;
};

/** An insert that leaves fields unchanged: the row moved into the filter, and its large values were not sent. */
const needsReading = (batch: Batch, index: number): boolean =>
  batch.operation[index] === INSERT && hasUnchanged(batch.arena.bytes, batch.rowStart[index]!);

/**
 * Applies changes [from, to) in one write. @returns the first change that needs a step of its own, with everything
 * before it applied and nothing after it, or null
 */
const pipelined = async (
  connection: WireConnection,
  statements: Statements,
  batch: Batch,
  ports: OrderedPorts,
  from: number,
  to: number,
): Promise<number | null> => {
  const writer = new MessageWriter();
  const ordered = { writer, statements, batch, ...ports };
  writer.bind(statements.prepare(writer, 'SAVEPOINT xcrepl_row'), [], 'text').execute();
  const written: number[] = [];
  let stop = to;
  for (let index = from; index < to; index++) {
    if (!isWanted(batch, index, ports)) continue;
    if (needsReading(batch, index)) {
      stop = index;
      break;
    }
    if (writeChange(ordered, index)) written.push(index);
  }
  const answer = await exchange(connection, writer.sync().take());
  if (answer.error) throw refusal(batch, written[answer.tags.length - 1] ?? from, answer.error, ports);
  const missed = written.findIndex(
    (index, at) => batch.operation[index] === UPDATE && FOUND_NOTHING.has(answer.tags[at + 1] ?? ''),
  );
  if (missed < 0) {
    await runStatement(connection, statements, 'RELEASE SAVEPOINT xcrepl_row');
    return stop < to ? stop : null;
  }
  await undo(connection, statements);
  const gap = written[missed]!;
  if (gap > from) await pipelined(connection, statements, batch, ports, from, gap);
  return gap;
};

/** Without the release every gap would leave a savepoint, and each lies in the one before. */
const undo = async (connection: WireConnection, statements: Statements): Promise<void> => {
  await runStatement(connection, statements, 'ROLLBACK TO SAVEPOINT xcrepl_row');
  await runStatement(connection, statements, 'RELEASE SAVEPOINT xcrepl_row');
};

/** One change that the plain way cannot do: an update whose row is not there, or an insert without all its fields. */
const step = async (
  connection: WireConnection,
  statements: Statements,
  batch: Batch,
  ports: OrderedPorts,
  index: number,
): Promise<number> => {
  const insert = async (values: readonly (Uint8Array | null)[]): Promise<Answer> => {
    const writer = new MessageWriter();
    writeInsert({ writer, statements, batch, ...ports }, index, values);
    return await exchange(connection, writer.sync().take());
  };
  const done = ({ error }: Answer): number => {
    if (error) throw refusal(batch, index, error, ports);
    return batch.operation[index] === UPDATE ? 1 : 0;
  };
  const rowStart = batch.rowStart[index]!;
  const sent = fieldValues(batch.arena.bytes, rowStart);
  if (!hasUnchanged(batch.arena.bytes, rowStart)) return done(await insert(sent));
  const now = await ports.reread(batch, index);
  if (now === null) return 0; // deleted since at the source: its delete comes later in the stream
  // What was sent is the row as of its transaction, and so meets no row of a later time in a unique constraint.
  const unchanged = maskOf(unchangedFields(batch, rowStart));
  await runStatement(connection, statements, 'SAVEPOINT xcrepl_row');
  const answer = await insert(
    sent.map((value, field) => (unchanged.has(field) ? (now[field] ?? null) : value)),
  );
  if (!answer.error) await runStatement(connection, statements, 'RELEASE SAVEPOINT xcrepl_row');
  if (!isRowRefusal(answer.error)) return done(answer);
  // Values of two times may break a constraint over both; those of one time cannot.
  await undo(connection, statements);
  return done(await insert(now));
};

const runStatement = async (
  connection: WireConnection,
  statements: Statements,
  sql: string,
): Promise<Answer> => {
  const writer = new MessageWriter();
  writer.bind(statements.prepare(writer, sql), [], 'text').execute();
  const answer = await exchange(connection, writer.sync().take());
  if (answer.error) throw answer.error;
  return answer;
};

const OPERATION = { 1: 'insert', 2: 'update', 3: 'delete', 4: 'truncate' } as const;

/** Names table, link and constraint; of the row's values its key at most, and only where nothing else tells which it is. */
const refusal = (batch: Batch, index: number, error: ServerError, ports: OrderedPorts): unknown => {
  const route = batch.route[index];
  if (!route || !isOfStatement(error)) return error;
  const subject = `${OPERATION[batch.operation[index] as Operation]} in ${route.variant.table} of link ${route.link}`;
  if (!isRowRefusal(error)) return blaming(pgError(error, subject), [route.link]);
  if (isUntranslatable(error))
    return encodingError(error, subject, untranslatable(batch, index, error, ports), {
      link: route.link,
      table: route.variant.table,
    });
  return new XcError('XC-5204', {
    subject,
    why:
      error.constraint === undefined
        ? `SQLSTATE ${error.sqlState}`
        : `constraint ${error.constraint}, SQLSTATE ${error.sqlState}`,
    facts: {
      link: route.link,
      table: route.variant.table,
      sqlState: error.sqlState,
      constraint: error.constraint ?? null,
    },
    cause: error,
  });
};
