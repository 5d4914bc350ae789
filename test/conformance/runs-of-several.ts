/** Scenarios of several runs, or of more than two databases. */

import { expect } from 'vitest';
import { expectEqual, pairOf } from '../engine/empty-pair.ts';
import { initTarget, openTestEngine } from '../engine/test-engine.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';
import { openDatabase, withDatabase } from '../harness/test-database.ts';
import { tableDigest } from '../harness/table-digest.ts';
import { TARGET_REGION } from '../servers/server-pair.ts';

const KEYED = 'CREATE TABLE app.t (a int PRIMARY KEY, b text)';

/** From the source to the target, and from there to a third database, which lies on the source's server. */
const chain = async (): Promise<void> => {
  await using pair = await pairOf(KEYED);
  const database = `${pair.source.database}_third`;
  await pair.source.query(`CREATE DATABASE "${database}" TEMPLATE template0`);
  const third = openDatabase(TARGET_REGION, withDatabase(pair.source.dsn, database));
  try {
    await third.query(`CREATE SCHEMA app; ${KEYED}`);
    const onward = { config: pair.config, source: pair.target, target: third };
    await initTarget(onward);
    await pair.source.query(`INSERT INTO app.t SELECT g, 'copied' FROM generate_series(1, 20) AS g`);
    await using first = await openTestEngine(pair);
    await first.copyAndStream();
    await using second = await openTestEngine(onward);
    await second.copyAndStream();
    const arrives = async (): Promise<void> => {
      await first.catchUp();
      await second.catchUp();
      expect(await tableDigest(third, 'app.t')).toEqual(await tableDigest(pair.source, 'app.t'));
    };
    await arrives();
    await pair.source.query(`UPDATE app.t SET b = 'streamed' WHERE a < 9; DELETE FROM app.t WHERE a = 10`);
    await pair.source.query(
      `BEGIN; UPDATE app.t SET a = -a WHERE a < 3; SAVEPOINT s; DELETE FROM app.t; ROLLBACK TO s; PREPARE TRANSACTION '${database}'`,
    );
    await arrives();
    await pair.source.query(`COMMIT PREPARED '${database}'`);
    await arrives();
    await pair.source.query(`TRUNCATE app.t; INSERT INTO app.t VALUES (1, 'after')`);
    await arrives();
  } finally {
    await third.close();
    await pair.source.query(`DROP DATABASE "${database}" WITH (FORCE)`);
  }
};

const otherAddress = async (): Promise<void> => {
  await using pair = await pairOf(KEYED);
  await pair.source.query(`INSERT INTO app.t VALUES (1, 'copied')`);
  {
    await using source = await startTcpProxy({ port: pair.source.port });
    await using target = await startTcpProxy({ port: pair.target.port });
    await using first = await openTestEngine({
      config: pair.config,
      source: { dsn: source.dsn(pair.source.dsn), database: pair.source.database },
      target: { dsn: target.dsn(pair.target.dsn), database: pair.target.database },
    });
    await first.copyAndStream();
  }
  await pair.source.query(`INSERT INTO app.t VALUES (2, 'while nobody reads')`);
  await using second = await openTestEngine(pair);
  await second.engine.acquire();
  expect((await second.catchUp()).changes).toBe(1);
  await expectEqual(pair, ['app.t']);
};

const twoInTheWay = async (): Promise<void> => {
  await using pair = await pairOf('CREATE TABLE app.t (a int PRIMARY KEY, b int UNIQUE, c int UNIQUE)');
  await using engine = await openTestEngine(pair);
  await engine.copyAndStream();
  await pair.target.query('INSERT INTO app.t VALUES (10, 1, 10), (20, 20, 1)');
  await pair.source.query('INSERT INTO app.t VALUES (5, 5, 5)');
  await pair.source.query('INSERT INTO app.t VALUES (1, 1, 1)');
  await expect(engine.catchUp()).rejects.toMatchObject({ code: 'XC-5204' });
  expect(await pair.target.query('SELECT a FROM app.t WHERE a < 10 ORDER BY a')).not.toContainEqual({ a: 1 });
  await pair.target.query('DELETE FROM app.t WHERE a >= 10');
  await engine.catchUp();
  await expectEqual(pair, ['app.t']);
};

export const runsOfSeveral: Readonly<Record<string, () => Promise<void>>> = {
  'a chain of three servers': chain,
  'a link that is stopped and begun again, and servers that are reached at another address': otherAddress,
  'a row that two rows of somebody else are in the way of stops the stream, and it goes on once they are gone':
    twoInTheWay,
};
