/** Batches that are large: what takes another way than small ones do, and what they may cost. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { expectEqual, pairOf } from './empty-pair.ts';
import { openTestEngine } from './test-engine.ts';

const TABLE = `
  CREATE TABLE app.t (tenant text, id bigint, body text, PRIMARY KEY (tenant, id));
  CREATE TABLE app.loose (v int);
  ALTER TABLE app.loose REPLICA IDENTITY FULL;
  CREATE TABLE app.seats (id int PRIMARY KEY, seat int UNIQUE);`;

/** Two batches of 8 MiB, what is written of them, and the sockets' own: far below what comes. */
const BOUND_BYTES = 96 * 2 ** 20;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** A transaction that changes rows without a key, too. */
const beside = (statement: string): string =>
  `BEGIN; INSERT INTO app.loose VALUES (1), (1), (2); ${statement}; DELETE FROM app.loose WHERE ctid = (SELECT min(ctid) FROM app.loose WHERE v = 1); COMMIT`;

describe('large batches', () => {
  test('find rows that are not there before they commit, and hold two batches at most', async () => {
    await using pair = await pairOf(TABLE);
    await pair.source.query(`INSERT INTO app.t SELECT 'acme', g, 'old' FROM generate_series(1, 500) AS g`);
    await using engine = await openTestEngine(pair);
    await engine.copyAndStream();

    // Updates of more rows than a statement counts itself: two of them are not there.
    await pair.target.query('DELETE FROM app.t WHERE id IN (77, 400)');
    await pair.source.query(`UPDATE app.t SET body = 'new' WHERE id <= 450`);
    const updated = await engine.catchUp();
    expect(updated).toMatchObject({ conflicts: 2, fallbacks: 1 });
    await expectEqual(pair, ['app.t']);

    // The same with all of them there goes as a set.
    await pair.source.query(`UPDATE app.t SET body = 'newer'`);
    expect(await engine.catchUp()).toMatchObject({ changes: 500, conflicts: 0, fallbacks: 0 });
    await expectEqual(pair, ['app.t']);

    // Deletes count what was gone already, and need no other way.
    await pair.target.query('DELETE FROM app.t WHERE id IN (8, 9, 10)');
    await pair.source.query('DELETE FROM app.t WHERE id <= 100');
    expect(await engine.catchUp()).toMatchObject({ changes: 100, conflicts: 3, fallbacks: 0 });
    await expectEqual(pair, ['app.t']);

    // Beside rows without a key, which keep the source's order, the others go as a set: a delete that found nothing is
    // counted there alone. What that set refuses goes in order as a whole.
    await pair.target.query('DELETE FROM app.t WHERE id IN (111, 300)');
    await pair.source.query(beside('DELETE FROM app.t WHERE id BETWEEN 105 AND 115'));
    expect(await engine.catchUp()).toMatchObject({ changes: 15, conflicts: 1, fallbacks: 0 });
    await pair.source.query(beside(`UPDATE app.t SET body = 'newest' WHERE id <= 400`));
    expect(await engine.catchUp()).toMatchObject({ conflicts: 1, fallbacks: 1 });
    await expectEqual(pair, ['app.t', 'app.loose']);

    // Two rows change seats: that table alone goes in order, beside the set of another.
    await pair.source.query('INSERT INTO app.seats VALUES (1, 1), (2, 2)');
    expect(await engine.catchUp()).toMatchObject({ fallbacks: 0 });
    await pair.target.query('DELETE FROM app.t WHERE id = 401');
    await pair.source.query(
      'BEGIN; UPDATE app.seats SET seat = -seat; UPDATE app.seats SET seat = 3 + seat; DELETE FROM app.t WHERE id = 401; COMMIT',
    );
    expect(await engine.catchUp()).toMatchObject({ changes: 5, conflicts: 1, fallbacks: 1 });
    await expectEqual(pair, ['app.t', 'app.loose', 'app.seats']);

    // 100,000 rows of one transaction: 210 MB as they are sent, next to nothing where they lie.
    await pair.source.query(
      `WITH gone AS (DELETE FROM app.t) INSERT INTO app.t SELECT 'huge', g, repeat('x', 2100) FROM generate_series(1, 100000) AS g`,
    );
    collectGarbage();
    const before = process.memoryUsage();
    let peak = 0;
    const watch = setInterval(() => {
      // What nobody holds any more is not held: when it is collected by itself is up to the machine's load.
      collectGarbage();
      const { arrayBuffers } = process.memoryUsage();
      peak = Math.max(peak, arrayBuffers - before.arrayBuffers);
    }, 150);
    try {
      expect(await engine.catchUp()).toMatchObject({ changes: 100_388, conflicts: 0, fallbacks: 0 });
    } finally {
      clearInterval(watch);
    }
    expect(peak).toBeGreaterThan(0);
    expect(peak).toBeLessThan(BOUND_BYTES);
    await expectEqual(pair, ['app.t']);
  });
});
