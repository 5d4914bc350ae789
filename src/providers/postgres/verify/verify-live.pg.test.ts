import { describe, expect, test } from 'vitest';
import { makePair } from '../../../../test/harness/pair.ts';
import { openDatabase, withDatabase } from '../../../../test/harness/test-database.ts';
import { linkName, verify } from './verify-pair.fixture.ts';

describe('while writes go on', () => {
  const SQL =
    'CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, g::text FROM generate_series(1, 500) g';

  test('a row that the source keeps writing is unknown, and a stale one beside it still fails', async () => {
    await using pair = await makePair({ fixture: 'empty', sql: SQL });
    await pair.source.query("UPDATE t SET v = 'start' WHERE id = 7");
    let n = 0;
    const onMarker = async (): Promise<void> => {
      await pair.source.query('UPDATE t SET v = $1 WHERE id = 7', [`n${++n}`]);
    };
    const hot = await verify(pair, ['public.t'], { onMarker });
    expect(hot.tables[0]).toMatchObject({
      verdict: 'unknown',
      differing: 0,
      unsettled: 1,
      keys: [{ kind: 'unsettled', key: { id: '7' } }],
      links: [{ link: linkName('all'), verdict: 'unknown' }],
    });
    expect(hot.findings).toMatchObject([{ verdict: 'unknown', code: 'XC-5102' }]);
    await pair.target.query("UPDATE t SET v = 'stale' WHERE id = 8");
    expect((await verify(pair, ['public.t'], { onMarker })).tables[0]).toMatchObject({
      verdict: 'fail',
      differing: 1,
      unsettled: 1,
    });
  });

  test('a row that is written with the same values counts as written', async () => {
    await using pair = await makePair({ fixture: 'empty', sql: SQL });
    await pair.target.query("UPDATE t SET v = 'stale' WHERE id = 7");
    const onMarker = async (): Promise<void> => {
      await pair.source.query('UPDATE t SET v = v WHERE id = 7');
    };
    expect((await verify(pair, ['public.t'], { onMarker })).tables[0]).toMatchObject({ verdict: 'unknown' });
    expect((await verify(pair, ['public.t'])).tables[0]).toMatchObject({ verdict: 'fail' });
  });

  test('a target that is behind passes once it has caught up', async () => {
    await using pair = await makePair({ fixture: 'empty', sql: SQL });
    const change =
      "UPDATE t SET v = 'new' WHERE id % 3 = 0; DELETE FROM t WHERE id % 5 = 0; INSERT INTO t VALUES (1000, 'x')";
    await pair.source.query(change);
    let markers = 0;
    const onMarker = async (): Promise<void> => {
      // The first marker is the start of the verification; the target is late even then.
      if (++markers === 2) await pair.target.query(change);
    };
    expect((await verify(pair, ['public.t'], { onMarker })).tables[0]).toMatchObject({
      verdict: 'pass',
      unsettled: 0,
    });
  });
});

describe('large and awkward tables', () => {
  test('200,000 rows go through chunks, and ten that differ are named', async () => {
    await using pair = await makePair({
      fixture: 'empty',
      sql: 'CREATE TABLE big (id bigint PRIMARY KEY, v text)',
    });
    const fill = 'INSERT INTO big SELECT g, md5(g::text) FROM generate_series(1, 200000) g; ANALYZE big';
    await Promise.all([pair.source.query(fill), pair.target.query(fill)]);
    await pair.target.query("UPDATE big SET v = 'x' WHERE id % 20000 = 1");
    const seen: number[] = [];
    const { tables } = await verify(pair, ['public.big'], {
      limits: { chunkRows: 20_000 },
      request: { progress: ({ rows }) => seen.push(rows) },
    });
    expect(tables[0]).toMatchObject({ verdict: 'fail', differing: 10, chunks: { checked: 11, total: 11 } });
    expect(seen.slice(0, 3)).toEqual([20_000, 40_000, 60_000]);
    expect(tables[0]?.keys.map((key) => Number(key.key['id'])).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 10 }, (_, i) => i * 20_000 + 1),
    );
  });

  test('a target that lost everything fails without reading every key', async () => {
    await using pair = await makePair({
      fixture: 'empty',
      sql: 'CREATE TABLE big (id bigint PRIMARY KEY, v text)',
    });
    await pair.source.query("INSERT INTO big SELECT g, 'v' FROM generate_series(1, 30000) g");
    const limits = {
      chunkRows: 5_000,
      suspectRows: 5_000,
      portionRows: 1_000,
      maxDifferences: 100,
      keysAtOnce: 100,
    };
    const { tables, findings } = await verify(pair, ['public.big'], { limits });
    expect(tables[0]).toMatchObject({ verdict: 'fail', atLeast: true, rows: { source: 5_000, target: 0 } });
    expect(tables[0]?.keys).toHaveLength(20);
    expect(findings[0]?.seen).toContain('at least');
  });

  test('databases of different encodings agree on the same characters', async () => {
    await using pair = await makePair({ fixture: 'empty' });
    const sql = `CREATE TABLE t (name text PRIMARY KEY, v varchar(20), a text[]);
      INSERT INTO t VALUES ('zoë', 'Ünïcödé', '{é,"à b"}'), ('plain', NULL, NULL), (U&'\\00a0', U&'\\0085', '{}')`;
    const name = `${pair.target.database}_latin1`;
    await pair.target.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`);
    try {
      const databases = { source: pair.source, target: { dsn: withDatabase(pair.target.dsn, name) } };
      await pair.source.query(sql);
      const latin = openDatabase('latin1', databases.target.dsn);
      try {
        await latin.query(sql);
        expect((await verify(databases, ['public.t'])).tables[0]).toMatchObject({
          verdict: 'pass',
          rows: { target: 3 },
        });
        await latin.query("UPDATE t SET v = 'Ünïcöde' WHERE name = 'zoë'");
        expect((await verify(databases, ['public.t'])).tables[0]?.keys).toMatchObject([
          { kind: 'changed', key: { name: 'zoë' } },
        ]);
      } finally {
        await latin.close();
      }
    } finally {
      await pair.target.query(`DROP DATABASE ${name} WITH (FORCE)`);
    }
  });
});

describe('what must not pass quietly', () => {
  const SQL =
    'CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, g::text FROM generate_series(1, 50) g';

  test('row security that hides rows is an error, not equality', async () => {
    await using pair = await makePair({ fixture: 'empty', sql: SQL });
    const role = `reader_${pair.source.database}`;
    for (const side of [pair.source, pair.target])
      await side.query(`CREATE ROLE ${role} LOGIN PASSWORD 'reader'; GRANT SELECT ON t TO ${role};
        ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON t USING (id < 10)`);
    try {
      const as = (dsn: string): string => {
        const url = new URL(dsn);
        url.username = role;
        url.password = 'reader';
        return url.href;
      };
      const databases = { source: { dsn: as(pair.source.dsn) }, target: { dsn: as(pair.target.dsn) } };
      await expect(verify(databases, ['public.t'])).rejects.toMatchObject({ code: 'XC-4002' });
    } finally {
      for (const side of [pair.source, pair.target])
        await side.query(`DROP POLICY few ON t; DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  test('a column that the target lacks is an error that names it', async () => {
    await using pair = await makePair({ fixture: 'empty', sql: SQL });
    await pair.target.query('ALTER TABLE t DROP COLUMN v');
    await expect(verify(pair, ['public.t'])).rejects.toMatchObject({
      code: 'XC-5103',
      subject: 'public.t.v',
    });
  });

  test('an interrupted verification says so and leaves no session behind', async () => {
    await using pair = await makePair({ fixture: 'empty', sql: SQL });
    const abort = new AbortController();
    await pair.source.query("UPDATE t SET v = 'x' WHERE id = 1");
    const reason = new Error('interrupted');
    let markers = 0;
    const onMarker = (): Promise<void> => {
      if (++markers < 2) return Promise.resolve();
      abort.abort(reason);
      return Promise.reject(reason);
    };
    await expect(verify(pair, ['public.t'], { onMarker, request: { signal: abort.signal } })).rejects.toBe(
      reason,
    );
    const left = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'xcrepl'`;
    for (const side of [pair.source, pair.target]) await expect.poll(() => side.query(left)).toEqual([]);
  });
});
