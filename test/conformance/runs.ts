/** Scenarios with steps of their own, by their names. */

import { expect } from 'vitest';
import { TARGET_REGION } from '../servers/server-pair.ts';
import { expectEqual, pairOf } from '../engine/empty-pair.ts';
import { initTarget, openTestEngine } from '../engine/test-engine.ts';
import { openDatabase, withDatabase } from '../harness/test-database.ts';

const ENCODED_DATABASE = 'conformance_latin1';

const lostRows = async (): Promise<void> => {
  await using pair = await pairOf('CREATE TABLE app.t (a int PRIMARY KEY, b text)');
  await pair.source.query(`INSERT INTO app.t VALUES (1, 'one'), (2, 'two'), (3, 'three')`);
  await using engine = await openTestEngine(pair);
  await engine.copyAndStream();
  await pair.target.query('DELETE FROM app.t WHERE a < 3');
  await pair.source.query(`UPDATE app.t SET b = 'again' WHERE a = 1; DELETE FROM app.t WHERE a = 2`);
  expect((await engine.catchUp()).conflicts).toBeGreaterThan(0);
  await expectEqual(pair, ['app.t']);
};

const foreignRows = async (): Promise<void> => {
  await using pair = await pairOf('CREATE TABLE app.t (a int PRIMARY KEY, b int UNIQUE, c text)');
  await pair.source.query(`INSERT INTO app.t VALUES (1, 1, 'one')`);
  await using engine = await openTestEngine(pair);
  await engine.copyAndStream();
  await pair.target.query(
    `INSERT INTO app.t VALUES (2, 2, 'theirs'); UPDATE app.t SET c = 'theirs' WHERE a = 1`,
  );
  await pair.source.query(`INSERT INTO app.t VALUES (2, 20, 'ours')`);
  await pair.source.query(`UPDATE app.t SET c = 'ours' WHERE a = 1`);
  await engine.catchUp();
  await expectEqual(pair, ['app.t']);
};

const triggers = async (): Promise<void> => {
  await using pair = await pairOf('CREATE TABLE app.t (a int PRIMARY KEY, b text)');
  const names = ['plain', 'always', 'replica', 'off'];
  await pair.target.query(
    `CREATE TABLE app.fired (name text, a int);
     CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS
       'BEGIN INSERT INTO app.fired VALUES (TG_ARGV[0], NEW.a); RETURN NEW; END';
     ${names.map((name) => `CREATE TRIGGER ${name} BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.note(${name})`).join(';')};
     ALTER TABLE app.t ENABLE ALWAYS TRIGGER always; ALTER TABLE app.t ENABLE REPLICA TRIGGER replica; ALTER TABLE app.t DISABLE TRIGGER off`,
  );
  await using engine = await openTestEngine(pair);
  await engine.copyAndStream();
  await pair.source.query(`INSERT INTO app.t VALUES (1, 'one')`);
  await engine.catchUp();
  await expectEqual(pair, ['app.t']);
  expect(await pair.target.query('SELECT name, a FROM app.fired ORDER BY name')).toEqual([
    { name: 'always', a: 1 },
    { name: 'replica', a: 1 },
  ]);
};

const encodings = async (): Promise<void> => {
  await using pair = await pairOf('CREATE TABLE app."tä" (a text PRIMARY KEY, "ü" text)');
  await pair.target.query(`DROP DATABASE IF EXISTS ${ENCODED_DATABASE}`);
  await pair.target.query(
    `CREATE DATABASE ${ENCODED_DATABASE} ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
  );
  const target = openDatabase(TARGET_REGION, withDatabase(pair.target.dsn, ENCODED_DATABASE));
  try {
    await target.query('CREATE SCHEMA app; CREATE TABLE app."tä" (a text PRIMARY KEY, "ü" text)');
    const encoded = { ...pair, target };
    await initTarget(encoded);
    await pair.source.query(`INSERT INTO app."tä" VALUES ('größe', 'ÿ'), ('b', 'plain')`);
    await using engine = await openTestEngine(encoded);
    await engine.copyAndStream();
    await pair.source.query(
      `INSERT INTO app."tä" VALUES ('é', 'É'); UPDATE app."tä" SET "ü" = 'ñ' WHERE a = 'größe'`,
    );
    await pair.source.query(`UPDATE app."tä" SET a = 'ß' WHERE a = 'b'`);
    await engine.catchUp();
    const rows = `SELECT a, "ü", octet_length(a) AS bytes FROM app."tä" ORDER BY a COLLATE "C"`;
    expect(await target.query(rows)).toEqual([
      { a: 'größe', ü: 'ñ', bytes: 5 },
      { a: 'ß', ü: 'plain', bytes: 1 },
      { a: 'é', ü: 'É', bytes: 1 },
    ]);
  } finally {
    await target.close();
    await pair.target.query(`DROP DATABASE ${ENCODED_DATABASE} WITH (FORCE)`);
  }
};

const manyRows = (low: number): string =>
  `INSERT INTO app.t SELECT g, md5(g::text) FROM generate_series(${low}, ${low + 1500}) AS g`;

const beside = async (): Promise<void> => {
  await using pair = await pairOf('CREATE TABLE app.t (a int PRIMARY KEY, b text)');
  await using engine = await openTestEngine(pair);
  await engine.copyAndStream();
  await using large = await pair.source.connect();
  await using other = await pair.source.connect();
  await large.query('BEGIN');
  await other.query('BEGIN');
  await large.query(manyRows(10_000));
  await other.query(manyRows(20_000));
  await pair.source.query(`INSERT INTO app.t VALUES (1, 'small')`);
  await large.query(manyRows(30_000));
  await pair.source.query(`UPDATE app.t SET b = 'changed' WHERE a = 1`);
  await engine.catchUp();
  expect(await pair.target.query('SELECT a, b FROM app.t')).toEqual([{ a: 1, b: 'changed' }]);
  await large.query('UPDATE app.t SET b = upper(b) WHERE a % 5 = 0');
  await large.query('COMMIT');
  await other.query('ROLLBACK');
  await engine.catchUp();
  await expectEqual(pair, ['app.t']);
};

const columnsWithin = async (): Promise<void> => {
  await using pair = await pairOf('CREATE TABLE app.t (a int PRIMARY KEY, b text)');
  await pair.target.query('ALTER TABLE app.t ADD c int, ADD d text');
  await using engine = await openTestEngine(pair);
  await engine.copyAndStream();
  await pair.source.query(
    `BEGIN; INSERT INTO app.t SELECT g, 'x' FROM generate_series(1, 1500) AS g; ALTER TABLE app.t ADD c int;
     INSERT INTO app.t SELECT g, 'x', -g FROM generate_series(1501, 1600) AS g; COMMIT`,
  );
  await pair.source.query(
    `BEGIN; UPDATE app.t SET c = a WHERE a < 100; SAVEPOINT s; ALTER TABLE app.t ADD d text; INSERT INTO app.t VALUES (-1, 'y', 1, 'z'); COMMIT`,
  );
  await engine.catchUp();
  await expectEqual(pair, ['app.t']);
};

const prepared = async (): Promise<void> => {
  await using pair = await pairOf('CREATE TABLE app.t (a int PRIMARY KEY)');
  const rows = async (): Promise<number[]> =>
    (await pair.target.query<{ a: number }>('SELECT a FROM app.t ORDER BY a')).map(({ a }) => a);
  {
    await using first = await openTestEngine(pair);
    await first.copyAndStream();
    await pair.source.query(`BEGIN; INSERT INTO app.t VALUES (1); PREPARE TRANSACTION 'conformance one'`);
    await pair.source.query(`BEGIN; INSERT INTO app.t VALUES (2); PREPARE TRANSACTION 'conformance two'`);
    await pair.source.query('INSERT INTO app.t VALUES (3)');
    await first.catchUp();
    expect(await rows()).toEqual([3]);
  }
  await using second = await openTestEngine(pair);
  await second.engine.acquire();
  await pair.source.query(`ROLLBACK PREPARED 'conformance two'`);
  await second.catchUp();
  expect(await rows()).toEqual([3]);
  await pair.source.query(`COMMIT PREPARED 'conformance one'`);
  await second.catchUp();
  expect(await rows()).toEqual([1, 3]);
};

const refused = async (): Promise<void> => {
  await using pair = await pairOf('CREATE TABLE app.t (a int PRIMARY KEY)');
  await pair.target.query('ALTER TABLE app.t ADD CONSTRAINT small CHECK (a < 100)');
  await using engine = await openTestEngine(pair);
  await engine.copyAndStream();
  await pair.source.query('INSERT INTO app.t VALUES (1)');
  await engine.catchUp();
  await pair.source.query('INSERT INTO app.t VALUES (2), (200), (3)');
  await pair.source.query('INSERT INTO app.t VALUES (4)');
  await expect(engine.catchUp()).rejects.toMatchObject({ code: 'XC-5204' });
  expect(await pair.target.query('SELECT a FROM app.t')).toEqual([{ a: 1 }]);
  await pair.target.query('ALTER TABLE app.t DROP CONSTRAINT small');
  await engine.catchUp();
  await expectEqual(pair, ['app.t']);
};

export const runs: Readonly<Record<string, () => Promise<void>>> = {
  'updates and deletes of rows that the target lost: the row is put there again, and counted': lostRows,
  'rows that somebody wrote to the target give way to those of the source': foreignRows,
  'triggers of the target fire only where they are enabled for replicas': triggers,
  'a target of another encoding': encodings,
  'large transactions that run beside small ones': beside,
  'columns added within large transactions, which the target has already': columnsWithin,
  'prepared transactions that are rolled back, or committed after others and after a restart of the run':
    prepared,
  'a row that the target refuses stops the stream before its transaction, and it goes on once that is mended':
    refused,
};
