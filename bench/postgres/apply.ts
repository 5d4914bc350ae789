/** Inserts, updates, deletes, a mix of them and hot keys, against PostgreSQL's own apply worker. */

import type { TestDatabase } from '../../test/harness/test-database.ts';
import { comparePairs, type Measured } from '../pairs.ts';
import { catchUp, drain, writeHeld, type Waiting } from './drain.ts';
import { requireEqual } from './equal.ts';
import type { Scene } from './scene.ts';
import { write } from './workload.ts';

interface ApplyPath {
  readonly path: string;
  /** Statements of one round. @param fresh the first id that was never used */
  readonly work: (rows: number, base: number, fresh: number) => readonly string[];
  /** Brings the table back to where a round may begin. */
  readonly restore?: (rows: number, base: number) => readonly string[];
}

const HOT_KEYS = 5_000;

export const APPLY_PATHS: readonly ApplyPath[] = [
  { path: 'insert-10', work: (rows, _, fresh) => [`CALL bench.inserts(${fresh}, ${rows}, 10)`] },
  { path: 'insert-1', work: (rows, _, fresh) => [`CALL bench.inserts(${fresh}, ${rows}, 1)`] },
  { path: 'update', work: (rows, base) => [`CALL bench.updates(1, ${base}, ${rows}, 10)`] },
  {
    path: 'delete',
    work: (rows, base) => [`CALL bench.deletes(1, ${base}, ${rows}, 10)`],
    restore: (_, base) => [REFILL(base)],
  },
  {
    path: 'mixed',
    work: (rows, base, fresh) => [`CALL bench.mixed(1, ${base}, ${fresh}, ${rows})`],
    restore: (_, base) => [REFILL(base)],
  },
  { path: 'hot', work: (rows) => [`CALL bench.hot(1, ${HOT_KEYS}, ${rows}, 10)`] },
];

const REFILL = (base: number): string =>
  `INSERT INTO app.t SELECT 'acme', g, g, rpad(md5(g::text), 140, 'y') FROM generate_series(1, ${base}) AS g
     WHERE NOT EXISTS (SELECT FROM app.t WHERE tenant = 'acme' AND id = g)`;

export const measureApply = async (
  { path, work, restore }: ApplyPath,
  scene: Scene,
  rows: number,
  pairs: number,
): Promise<Measured> => {
  const { ours, native, source, base } = scene;
  let waiting: Waiting[] = [];
  const one = async (at: number): Promise<{ value: number; cpu: Record<string, number> }> => {
    const { seconds, cpu } = await drain(waiting[at]!);
    return { value: seconds, cpu };
  };
  return await comparePairs({
    path,
    against: 'native apply',
    unit: 's',
    ratio: 'speed',
    pairs,
    rows,
    async before() {
      const fresh = await firstFree(source);
      waiting = await writeHeld([ours, native], (on) => write(on, work(rows, base, fresh)));
    },
    ours: () => one(0),
    theirs: () => one(1),
    async after() {
      await requireEqual(source, [ours.target, native.target]);
      if (restore) {
        await write(source, restore(rows, base));
        await catchUp([ours, native]);
      }
      for (const database of [source, ours.target, native.target]) await database.query('VACUUM app.t');
    },
  });
};

const firstFree = async (source: TestDatabase): Promise<number> => {
  const [row] = await source.query<{ free: number }>('SELECT (max(id) + 1)::int AS free FROM app.t');
  return row!.free;
};
