/** One transaction that is larger than the runner may be: how much memory the runner takes for it. */

import type { TestDatabase } from '../../test/harness/test-database.ts';
import { hold, until } from './receiver.ts';
import { requireEqual } from './equal.ts';
import type { Scene } from './scene.ts';
import { mark, sees } from './workload.ts';

/** The bar for everything that the runner does. */
export const LIMIT_BYTES = 300 * 2 ** 20;

/** @returns peak of the runner's resident memory in bytes. The native receiver does not take part. */
export const measureHugeTransaction = async (
  { ours, native, source }: Scene,
  rows: number,
): Promise<number> => {
  const release = await hold(native);
  try {
    await ours.takePeak();
    await insert(source, rows);
    const marker = await mark(source);
    await until('the end of the transaction', () => sees(ours.target, marker), 100);
    await requireEqual(source, [ours.target], 'app.small');
    return await ours.takePeak();
  } finally {
    release();
  }
};

const insert = async (source: TestDatabase, rows: number): Promise<void> => {
  await source.query(`INSERT INTO app.small SELECT 'acme', g FROM generate_series(1, ${rows}) AS g`);
};
