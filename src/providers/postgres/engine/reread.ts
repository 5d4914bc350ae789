/**
 * Reads one row again at the source, by its key: for a row that moved into the filter, whose large values were not sent
 * (CORRECTNESS 10). What comes is the row of now; the stream brings it forward again from there.
 */

import { Arena } from '../../../core/change/arena.ts';
import type { Batch, Route } from '../../../core/change/batch.ts';
import { writeTuple } from '../../../core/change/tuple-plan.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { TableFacts } from '../../../core/topology/table.ts';
import { ident, rowsOf } from '../quote.ts';
import { fieldValues } from '../target/ordered-apply.ts';
import type { WireConnection } from '../wire/connection.ts';
import { MessageWriter } from '../wire/messages.ts';
import { serverError } from '../wire/server-error.ts';

/** Fields as in a written row, redacted; null where the row is gone. */
export const rereadRow = async (
  source: WireConnection,
  facts: TableFacts,
  batch: Batch,
  index: number,
  binary: boolean,
): Promise<(Uint8Array | null)[] | null> => {
  const route = batch.route[index]!;
  const { plan } = route.variant;
  const key = plan.key.map((field) => plan.columns[field]!);
  const redacted = plan.fields.some((field) => key.includes(field.name) && field.redactor?.kind !== 'allow');
  if (redacted || key.length === 0)
    throw new XcError('XC-5209', {
      subject: route.variant.table,
      why: redacted ? 'its key is hashed' : 'it has no key',
    });
  const row = fieldValues(batch.arena.bytes, batch.rowStart[index]!);
  const found = await select(
    source,
    facts,
    route,
    key,
    plan.key.map((field) => row[field] ?? null),
    binary,
  );
  if (!found) return null;
  const arena = new Arena();
  writeTuple(arena, plan, 'row', found, 0);
  return fieldValues(arena.bytes, 0);
};

const select = async (
  source: WireConnection,
  facts: TableFacts,
  route: Route,
  key: readonly string[],
  values: readonly (Uint8Array | null)[],
  binary: boolean,
): Promise<Buffer | null> => {
  const tests = key.map((name, at) => `${ident(name)} = $${at + 1}`);
  const parameters: (Uint8Array | string | null)[] = [...values];
  const formats: (0 | 1)[] = values.map(() => (binary ? 1 : 0));
  if (route.scope) {
    tests.push(`${ident(route.scope.column)} = $${key.length + 1}`);
    parameters.push(route.scope.value);
    formats.push(0);
  }
  const columns = route.variant.plan.fields.map((field) => ident(field.name)).join(', ');
  const types = key.map((name) => facts.columns.find((column) => column.name === name)!.typeOid);
  const writer = new MessageWriter();
  writer.parse('', `SELECT ${columns} FROM ${rowsOf(facts)} WHERE ${tests.join(' AND ')}`, types);
  writer.bind('', parameters, formats, binary ? 1 : 0).execute();
  return await firstRow(source, writer.sync().take());
};

const firstRow = async (source: WireConnection, bytes: Buffer): Promise<Buffer | null> =>
  await new Promise<Buffer | null>((resolve, reject) => {
    let row: Buffer | null = null;
    let error: Error | null = null;
    source.read({
      message(type, buffer, start, end) {
        if (type === 0x44) row ??= Buffer.from(buffer.subarray(start, end));
        if (type === 0x45) error ??= serverError(buffer, start, end);
        if (type !== 0x5a) return;
        source.read(null);
        if (error) reject(error);
        else resolve(row);
      },
      closed: reject,
    });
    source.send(bytes);
  });
