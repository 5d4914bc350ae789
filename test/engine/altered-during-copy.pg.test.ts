/** Tables that are altered after the snapshot that they are copied under was taken, before a chunk of them is read. */

import { expect, test } from 'vitest';
import type { ConfigInput } from '../../src/core/config/schema.ts';
import { XcError } from '../../src/core/errors/xc-error.ts';
import { expectEqual, pairOf } from './empty-pair.ts';
import { openTestEngine } from './test-engine.ts';
import { wholeSchema } from './whole-schema.ts';

interface Altered {
  readonly name: string;
  /** Behind the snapshot, on the source. */
  readonly source: string;
  readonly target?: string;
}

/** Each in a table of its own: (id int PRIMARY KEY, a text, b int) with ten rows. */
const ALTERED: readonly Altered[] = [
  // As wide in binary as it was, and the rows are written anew: an older snapshot sees none of them.
  {
    name: 'retyped',
    source: 'ALTER TABLE app.retyped ALTER b TYPE real',
    target: 'ALTER TABLE app.retyped ALTER b TYPE real',
  },
  {
    name: 'rewritten',
    source: 'ALTER TABLE app.rewritten ALTER b TYPE int USING b * 100',
  },
  {
    name: 'wider',
    source: 'ALTER TABLE app.wider ADD c int NOT NULL DEFAULT 5; UPDATE app.wider SET c = 6 WHERE id > 7',
    target: 'ALTER TABLE app.wider ADD c int',
  },
  {
    name: 'renamed',
    source: `ALTER TABLE app.renamed RENAME a TO z; UPDATE app.renamed SET z = 'after' WHERE id = 1`,
    target: 'ALTER TABLE app.renamed RENAME a TO z',
  },
  {
    name: 'half',
    source: `ALTER TABLE app.half ALTER b TYPE bigint; UPDATE app.half SET b = 5000000000 WHERE id = 2`,
    target: 'ALTER TABLE app.half ALTER b TYPE bigint',
  },
  { name: 'narrower', source: 'ALTER TABLE app.narrower DROP a', target: 'ALTER TABLE app.narrower DROP a' },
  { name: 'emptied', source: `TRUNCATE app.emptied; INSERT INTO app.emptied VALUES (1, 'after', 1)` },
];

const SCHEMA = [...ALTERED.map(({ name }) => name), 'lacks']
  .map((name) => `CREATE TABLE app.${name} (id int PRIMARY KEY, a text, b int)`)
  .join('; ');
const ROWS = [...ALTERED.map(({ name }) => name), 'lacks']
  .map((name) => `INSERT INTO app.${name} SELECT g, 'a' || g, g FROM generate_series(1, 10) AS g`)
  .join('; ');

const underDdl =
  (ddl: 'stop' | 'additive') =>
  (config: ConfigInput): ConfigInput => {
    const whole = wholeSchema(config);
    return { ...whole, rules: whole.rules!.map((rule) => ({ ...rule, ddl })) };
  };

const never = new AbortController().signal;

test.each(['stop', 'additive'] as const)(
  'what is altered while it is copied arrives, ddl: %s',
  async (ddl) => {
    await using pair = await pairOf(SCHEMA, underDdl(ddl));
    await pair.source.query(ROWS);
    await using running = await openTestEngine(pair);
    await running.engine.acquire();
    await running.publish();
    await running.createSlot();
    const steps = await running.copySteps(1);
    const copy = async (name: string) =>
      await running.engine.copyTable(
        steps.find(({ table }) => table === `app.${name}`)!,
        never,
      );
    for (const { name, source, target } of ALTERED) {
      await pair.source.query(source);
      if (target !== undefined) await pair.target.query(target);
      await copy(name);
    }
    await pair.source.query(
      `ALTER TABLE app.lacks ADD c int DEFAULT 7; UPDATE app.lacks SET c = 8 WHERE id = 3`,
    );
    if (ddl === 'stop') {
      const error = await copy('lacks').then(
        () => null,
        (caught: unknown) => caught,
      );
      expect(error).toMatchObject({ code: 'XC-5202', subject: 'app.lacks.c' });
      await pair.target.query((error as XcError).next);
    }
    await copy('lacks');
    await running.catchUp();
    await expectEqual(pair, [...ALTERED.map(({ name }) => `app.${name}`), 'app.lacks']);
  },
);
