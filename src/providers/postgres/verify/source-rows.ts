/** Rows of the source by their keys, as they are to be on the target: read, redacted and digested in the runner. */

import type { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { addRow, NO_ROWS, type Digest } from '../../../core/validation/compare/digest.ts';
import type { Candidate } from '../../../core/validation/compare/side.ts';
import { readCopyRows, type CopyRow } from './copy-rows.ts';
import { RowHasher } from './runner-side.ts';
import { rowHash } from './row-hash.ts';
import { copySql, type SqlContext } from './sql.ts';
import { rawText } from './value-text.ts';

/** Rows that share a key. */
export interface SourceRows extends Digest {
  /** Of each row the text of every column of the unit. */
  readonly values: readonly (readonly (string | null)[])[];
}

const WHOLE = { after: null, upTo: null, buckets: 1 };

/** By keyId. Bounded by the candidates, not by the table, also where the table has to be read for them as a whole. */
export const readSourceRows = async (
  client: Client,
  context: SqlContext,
  candidates: readonly Candidate[],
): Promise<ReadonlyMap<string, SourceRows>> => {
  const { columns } = context.unit;
  const ids = new Set(candidates.map(({ id }) => id));
  const found = new Map<string, SourceRows>();
  const hasher = new RowHasher(context);
  // Redacted rows have their hash from the runner; of others the server says it, by whatever functions it is made.
  const { redacted: isRedacted } = context.unit;
  const more = [...columns.map(rawText), ...(isRedacted ? [] : [`(${rowHash(context)})::text`])];
  await readCopyRows(client.query(copyTo(copySql(context, WHOLE, candidates, more))), (row) => {
    const made = hasher.redact(row);
    const hash = isRedacted ? made.hash : BigInt(fieldText(row, 2 * columns.length + 1) ?? 0);
    const redacted = { ...made, hash };
    const { id } = hasher.keyOf(redacted);
    if (!ids.has(id)) return;
    const values = columns.map(({ action }, i) =>
      action.kind === 'allow'
        ? fieldText(row, columns.length + 1 + i)
        : (redacted.fields[i]?.toString() ?? null),
    );
    const before = found.get(id);
    found.set(id, {
      ...addRow(before ?? NO_ROWS, redacted.hash),
      values: [...(before?.values ?? []), values],
    });
  });
  return found;
};

const fieldText = ({ bytes, starts, ends }: CopyRow, field: number): string | null =>
  ends[field] === -1 ? null : bytes.toString('utf8', starts[field], ends[field]);
