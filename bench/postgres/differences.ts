/** Finding ten differing rows: the product's verification against streaming both sides sorted, full rows. */

import { initTarget } from '../../test/engine/test-engine.ts';
import { wholeSchema } from '../../test/engine/whole-schema.ts';
import { baseConfig } from '../../test/harness/pair-files.ts';
import { comparePairs, type Measured, type Sample } from '../pairs.ts';
import { startRunner } from './runner.ts';
import { withCosts } from './server-cost.ts';
import type { Servers } from './servers.ts';
import { fill, tableSql } from './workload.ts';

const SCHEMA = `CREATE SCHEMA app; ${tableSql('app.t')}`;
const DIFFERING = 10;

export const measureDifferences = async (
  servers: Servers,
  rows: number,
  pairs: number,
): Promise<Measured> => {
  const source = await servers.sourceDatabase('diff', SCHEMA);
  const target = await servers.targetDatabase('diff_target', SCHEMA);
  await fill(source, rows);
  await initTarget({ target });
  await using runner = await startRunner(source, target, wholeSchema(baseConfig('/nowhere')));
  await runner.call('prepare');
  await runner.call('copy', { chunks: 2 });
  await runner.start();
  await target.query('VACUUM (ANALYZE, FREEZE) app.t');
  const step = Math.floor(rows / DIFFERING);
  await target.query(
    `UPDATE app.t SET body = 'changed' WHERE id % ${step} = 1 AND id <= ${step * DIFFERING}`,
  );
  const timed = async (find: () => Promise<number>): Promise<Sample> => {
    const { result, cpu } = await withCosts(runner, async () => {
      const startedMs = performance.now();
      const found = await find();
      if (found !== DIFFERING) throw new Error(`${found} differing rows were found, not ${DIFFERING}`);
      return (performance.now() - startedMs) / 1000;
    });
    return { value: result, cpu };
  };
  const places = { source: source.dsn, target: target.dsn };
  const query = 'SELECT tenant, id, n, body FROM app.t ORDER BY tenant, id';
  return await comparePairs({
    path: 'diff',
    against: 'both sides streamed sorted, full rows',
    unit: 's',
    ratio: 'speed',
    pairs,
    rows,
    ours: () => timed(async () => (await runner.call('differing')).length),
    theirs: () =>
      timed(
        async () => (await runner.call('sortedDifferences', { ...places, query, keyFields: 2 })).keys.length,
      ),
  });
};
