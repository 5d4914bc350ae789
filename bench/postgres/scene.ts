/** One source that both receivers follow, each into a database of its own on the other server. */

import { baseConfig } from '../../test/harness/pair-files.ts';
import type { TestDatabase } from '../../test/harness/test-database.ts';
import { initTarget } from '../../test/engine/test-engine.ts';
import { wholeSchema } from '../../test/engine/whole-schema.ts';
import { subscribe } from './native.ts';
import type { Receiver } from './receiver.ts';
import { startRunner, type Runner } from './runner.ts';
import type { Servers } from './servers.ts';
import { fill, SCHEMA_SQL, WRITERS_SQL } from './workload.ts';

export interface Scene extends AsyncDisposable {
  readonly source: TestDatabase;
  readonly ours: Runner;
  readonly native: Receiver;
  /** Rows with the ids 1 to this are there when a round begins. */
  readonly base: number;
}

export const openScene = async (servers: Servers, base: number): Promise<Scene> => {
  await using held = new AsyncDisposableStack();
  const source = await servers.sourceDatabase('apply', SCHEMA_SQL + WRITERS_SQL);
  await fill(source, base);
  const target = await servers.targetDatabase('apply_ours', SCHEMA_SQL);
  await initTarget({ target });
  const ours = held.use(await startRunner(source, target, wholeSchema(baseConfig('/nowhere'))));
  await ours.call('prepare');
  await ours.call('copy', { chunks: 1 });
  await ours.start();
  const native = await subscribe(
    source,
    await servers.targetDatabase('apply_native', SCHEMA_SQL),
    'TABLES IN SCHEMA app',
  );
  held.defer(() => native.drop());
  for (const database of [target, native.target]) await database.query('VACUUM (ANALYZE) app.t');
  const parts = held.move();
  return { source, ours, native, base, [Symbol.asyncDispose]: () => parts.disposeAsync() };
};
