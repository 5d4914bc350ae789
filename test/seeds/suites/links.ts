/**
 * Tenants are paused, resumed, poisoned, mended, added and removed while writers write, and the runner is killed in the
 * middle of it; in the end everybody who is still named has the source's rows, on one stream.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { differing } from '../../engine/many-links.ts';
import { initTarget } from '../../engine/test-engine.ts';
import { makePair, type Pair } from '../../harness/pair.ts';
import { expectTidy } from '../leftovers.ts';
import { actText, NAME, planOf, TENANTS } from '../links/plan.ts';
import { configOf, Stage } from '../links/stage.ts';
import { expectNothingAhead } from '../positions.ts';
import { finish, startRunner } from '../runner.ts';
import type { Suite } from '../suite.ts';
import { keptServers } from '../workload/servers.ts';

const ROWS = 40;
const WRITE_EVERY_MS = 15;

const run = async (seed: number): Promise<string> => {
  const { acts, random } = planOf(seed);
  await using pair = await makePair({
    fixture: 'empty',
    sql: 'CREATE SCHEMA app; CREATE TABLE app.items (tenant text, id int, v int NOT NULL, PRIMARY KEY (tenant, id))',
    servers: await keptServers(),
    config: configOf(new Set(TENANTS.slice(0, -1))),
  });
  await pair.source.query(
    `INSERT INTO app.items SELECT t, i, 0 FROM unnest($1::text[]) t, generate_series(1, ${ROWS}) i`,
    [[...TENANTS]],
  );
  await initTarget(pair);
  await finish(startRunner(pair, '--once'), 0, 'the copy');
  await using stage = new Stage(pair);
  const over = new AbortController();
  const writing = write(pair, () => random.next(), over.signal);
  try {
    for (const act of acts) {
      await stage.act(act);
      await expectNothingAhead(pair);
    }
  } finally {
    over.abort();
    await writing;
  }
  await stage.finish();
  const wrong = await differing(pair, [...stage.named]);
  if (wrong.length > 0) throw new Error(`the target is not as the source for ${wrong.join(', ')}`);
  await expectTidy(pair, { identified: true, insertOnly: false });
  return acts.map(actText).join(', ');
};

/** Transactions of all tenants, and of one: updates, new rows, and rows that go. */
const write = async (pair: Pair, next: () => number, signal: AbortSignal): Promise<void> => {
  await using client = await pair.source.connect();
  for (let id = ROWS + 1; !signal.aborted; id++) {
    const one = TENANTS[Math.floor(next() * TENANTS.length)]!;
    await client.query(`BEGIN;
      UPDATE app.items SET v = abs(v) + 1 WHERE id = ${1 + Math.floor(next() * ROWS)} AND v >= 0;
      INSERT INTO app.items VALUES ('${one}', ${id}, ${id});
      DELETE FROM app.items WHERE id = ${Math.floor(next() * id)} AND id > ${ROWS} AND tenant = '${one}'; COMMIT`);
    await sleep(WRITE_EVERY_MS);
  }
};

export const links: Suite = {
  name: NAME,
  about: 'links that are paused, errored, added and removed, and kill -9 of the runner meanwhile',
  run,
};
