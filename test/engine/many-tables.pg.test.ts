/** A link of some hundred tables: planned, published, copied and streamed without a statement a table where one will do. */

import { expect, test } from 'vitest';
import { pairOf } from './empty-pair.ts';
import { openTestEngine } from './test-engine.ts';

const TABLES = 300;
const never = new AbortController().signal;

const each = (statement: string): string =>
  `DO $do$ BEGIN FOR n IN 1..${TABLES} LOOP EXECUTE format($f$${statement}$f$, n); END LOOP; END $do$`;

test('every table of three hundred is carried, and one transaction changes them all', async () => {
  await using pair = await pairOf(each('CREATE TABLE app.t_%s (id int PRIMARY KEY, v text)'));
  await pair.source.query(each("INSERT INTO app.t_%s VALUES (1, 'copied'), (2, 'copied')"));
  await using engine = await openTestEngine(pair);
  await engine.engine.acquire();
  await engine.publish();
  await engine.createSlot();
  for (const step of await engine.copySteps(1)) await engine.engine.copyTable(step, never);
  await pair.source.query(
    each(
      "UPDATE app.t_%1$s SET v = 'changed' WHERE id = 1; INSERT INTO app.t_%1$s VALUES (3, 'new'); DELETE FROM app.t_%1$s WHERE id = 2",
    ),
  );
  const { changes, conflicts, fallbacks } = await engine.catchUp();
  expect({ changes, conflicts, fallbacks }).toEqual({ changes: 3 * TABLES, conflicts: 0, fallbacks: 0 });
  const rows = Array.from(
    { length: TABLES },
    (_, n) => `SELECT ${n + 1} AS n, id, v FROM app.t_${n + 1}`,
  ).join(' UNION ALL ');
  const digest = `SELECT count(*)::int AS rows, md5(string_agg(t::text, ',' ORDER BY n, id)) AS digest FROM (${rows}) AS t`;
  expect(await pair.target.query(digest)).toEqual(await pair.source.query(digest));
  expect(await pair.target.query(digest)).toMatchObject([{ rows: 2 * TABLES }]);
});
