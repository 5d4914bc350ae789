/** What a thousand tenants, or a thousand tables, on one stream cost beside one: the same rows, the same transactions. */

import type { ConfigInput } from '../../src/core/config/schema.ts';
import { initTarget } from '../../test/engine/test-engine.ts';
import { wholeSchema } from '../../test/engine/whole-schema.ts';
import { baseConfig } from '../../test/harness/pair-files.ts';
import { SOURCE_REGION, TARGET_REGION } from '../../test/servers/server-pair.ts';
import { comparePairs, type Measured, type Sample } from '../pairs.ts';
import { drain, writeHeld, type Waiting } from './drain.ts';
import { requireEqual } from './equal.ts';
import { startRunner, type Runner } from './runner.ts';
import type { Servers } from './servers.ts';
import { MARKER_SQL, tableSql, write } from './workload.ts';

export const MANY = 1_000;
const ROWS_A_TRANSACTION = 10;

interface Side {
  readonly name: string;
  readonly tables: number;
  readonly tenants: number;
  readonly config: (config: ConfigInput) => ConfigInput;
}

/** Tenants by column; the marker's row is of "acme". */
const tenantsConfig =
  (count: number) =>
  (config: ConfigInput): ConfigInput => {
    const names = ['acme', ...Array.from({ length: count - 1 }, (_, at) => `t${at + 1}`)];
    return {
      ...config,
      tenants: Object.fromEntries(
        names.map((name) => [name, { scope: { kind: 'column', column: 'tenant', value: name } }]),
      ),
      rules: [{ id: 'app', tenants: names, tables: ['app.*'], from: SOURCE_REGION, to: [TARGET_REGION] }],
    };
  };

const PATHS: Readonly<Record<string, { readonly many: Side; readonly one: Side; readonly against: string }>> =
  {
    'tenants-1000': {
      against: 'one tenant',
      many: { name: 'tenants', tables: 1, tenants: MANY, config: tenantsConfig(MANY) },
      one: { name: 'tenant', tables: 1, tenants: 1, config: tenantsConfig(1) },
    },
    'tables-1000': {
      against: 'one table',
      many: { name: 'tables', tables: MANY, tenants: 1, config: wholeSchema },
      one: { name: 'onetable', tables: 1, tenants: 1, config: wholeSchema },
    },
  };

export const SCALE_PATHS = Object.keys(PATHS);

export const measureScale = async (
  path: string,
  servers: Servers,
  rows: number,
  pairs: number,
): Promise<{ measured: Measured; peak: number }> => {
  const { many, one, against } = PATHS[path]!;
  await using held = new AsyncDisposableStack();
  const sides = [many, one].map((side) => ({ side, runner: open(servers, side) }));
  const runners: Runner[] = [];
  for (const { runner } of sides) runners.push(held.use(await runner));
  const [first, second] = [runners[0]!, runners[1]!];
  let waiting: Waiting[] = [];
  const at = async (place: number): Promise<Sample> => {
    const { seconds, cpu } = await drain(waiting[place]!);
    return { value: seconds, cpu };
  };
  const measured = await comparePairs({
    path,
    against,
    unit: 's',
    ratio: 'speed',
    pairs,
    rows,
    async before(round) {
      waiting = await writeHeld(runners, (on) =>
        write(on, [`CALL bench.spread(${round * rows}, ${rows}, ${ROWS_A_TRANSACTION})`]),
      );
    },
    ours: () => at(0),
    theirs: () => at(1),
    async after() {
      for (const [place, { side }] of sides.entries())
        for (let table = 0; table < side.tables; table += 97)
          await requireEqual(runners[place]!.source, [runners[place]!.target], `app.t${table}`);
    },
  });
  const peak = Math.max(await first.takePeak(), await second.takePeak());
  return { measured, peak };
};

const open = async (servers: Servers, side: Side): Promise<Runner> => {
  const tables = Array.from({ length: side.tables }, (_, at) => tableSql(`app.t${at}`)).join('\n');
  const schema = `CREATE SCHEMA app; ${MARKER_SQL} ${tables}`;
  const source = await servers.sourceDatabase(`many_${side.name}`, schema + spread(side));
  const target = await servers.targetDatabase(`many_${side.name}_target`, schema);
  await initTarget({ target });
  const runner = await startRunner(source, target, side.config(baseConfig('/nowhere')));
  await runner.call('prepare');
  await runner.call('copy', { chunks: 1 });
  await runner.start();
  return runner;
};

/** Each transaction is of one tenant and one table, and the next one of the next. */
const spread = ({ tables, tenants }: Side): string => `
  CREATE SCHEMA bench;
  CREATE PROCEDURE bench.spread(first bigint, total int, per int) LANGUAGE plpgsql AS $$
  BEGIN
    FOR i IN 0 .. total / per - 1 LOOP
      EXECUTE format('INSERT INTO app.t%s SELECT $1, $2 + g, g, rpad(md5(($2 + g)::text), 140, ''x'') FROM generate_series(0, $3 - 1) AS g', i % ${tables})
        USING CASE WHEN i % ${tenants} = 0 THEN 'acme' ELSE 't' || i % ${tenants} END, first + i * per, per;
      COMMIT;
    END LOOP;
  END $$;`;
