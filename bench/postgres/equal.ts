/** Both sides hold the same rows: sums of a hash of every row's text, independent of their order. */

import { fieldRedactor } from '../../src/core/policy/redactor.ts';
import { EXAMPLE_KEY } from '../../test/engine/test-engine.ts';
import type { TestDatabase } from '../../test/harness/test-database.ts';

export const digest = async (database: TestDatabase, table: string, columns = 't'): Promise<string> => {
  const [row] = await database.query<{ digest: string }>(
    `SELECT count(*) || ' ' || coalesce(sum(hashtextextended((${columns})::text, 0)::numeric), 0) AS digest FROM ${table} AS t`,
  );
  return row!.digest;
};

/** @throws Error a measurement of something that did not do its work is none */
export const requireEqual = async (
  source: TestDatabase,
  targets: readonly TestDatabase[],
  table = 'app.t',
  columns = 't',
): Promise<void> => {
  const expected = await digest(source, table, columns);
  for (const target of targets) {
    const found = await digest(target, table, columns);
    if (found !== expected) throw new Error(`${target.database} holds ${found} of ${table}, not ${expected}`);
  }
};

/** @throws Error when rows were skipped */
export const requireChanges = (found: number, expected: number): void => {
  if (found !== expected) throw new Error(`${found} changes came, not ${expected}`);
};

/** Every row is there, its other columns are equal, and of a sample the redacted column is what the policy makes of it. */
export const requireRedacted = async (source: TestDatabase, target: TestDatabase): Promise<void> => {
  await requireEqual(source, [target], 'app.t', '(t.tenant, t.id, t.n)');
  const sample = 'SELECT id::int AS id, body FROM app.t WHERE id % 997 = 1 ORDER BY id';
  const [rows, hashed] = [
    await source.query<{ id: number; body: string }>(sample),
    await target.query<{ id: number; body: string }>(sample),
  ];
  const redactor = fieldRedactor({ kind: 'hash', key: EXAMPLE_KEY, length: 64 });
  for (const [at, { body }] of rows.entries()) {
    const bytes = Buffer.from(body, 'utf8');
    const place = Buffer.alloc(redactor.fixedLength);
    const length = redactor.write(bytes, 0, bytes.length, place, 0);
    if (hashed[at]?.body !== place.toString('utf8', 0, length))
      throw new Error(`row ${rows[at]!.id} is not redacted as the policy says`);
  }
};
