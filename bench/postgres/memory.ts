/** One transaction that is larger than the runner may be, and rows of a megabyte: how much memory the runner takes. */

import { hold, until } from './receiver.ts';
import { requireEqual } from './equal.ts';
import type { Scene } from './scene.ts';
import { mark, sees } from './workload.ts';

/** The bar for everything that the runner does. */
export const LIMIT_BYTES = 300 * 2 ** 20;

/** @returns peak of the runner's resident memory in bytes. The native receiver does not take part. */
export const measureHugeTransaction = async (scene: Scene, rows: number): Promise<number> =>
  await peakDuring(scene, 'app.small', [
    `INSERT INTO app.small SELECT 'acme', g FROM generate_series(1, ${rows}) AS g`,
  ]);

const insertLarge = (first: string, count: number): string =>
  `INSERT INTO app.t SELECT 'large', ${first} + g, g, repeat(md5(g::text), 32768) FROM generate_series(1, ${count}) AS g`;

/** Rows of 1 MiB: in one transaction, in one each, and all of them changed at once. @returns as above */
export const measureLargeRows = async (scene: Scene, rows: number): Promise<number> => {
  return await peakDuring(scene, 'app.t', [
    insertLarge('0', rows),
    `DO $do$ BEGIN FOR i IN 1..${rows} LOOP ${insertLarge(`${rows} + i`, 1)}; COMMIT; END LOOP; END $do$`,
    `UPDATE app.t SET n = n + 1, body = reverse(body) WHERE tenant = 'large'`,
    `UPDATE app.t SET n = n + 1 WHERE tenant = 'large'`,
    `DELETE FROM app.t WHERE tenant = 'large'`,
  ]);
};

const peakDuring = async (
  { ours, native, source }: Scene,
  table: string,
  statements: readonly string[],
): Promise<number> => {
  const release = await hold(native);
  try {
    await ours.takePeak();
    for (const statement of statements) {
      await source.query(statement);
      const marker = await mark(source);
      await until('the end of the transaction', () => sees(ours.target, marker), 100);
      await requireEqual(source, [ours.target], table);
    }
    return await ours.takePeak();
  } finally {
    release();
  }
};
