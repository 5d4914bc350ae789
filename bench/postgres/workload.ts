/**
 * What the applications of a benchmark do: rows of 200 bytes with a key of two columns, written in transactions of a
 * given number of rows. The writers run inside the server, so that they take as little of the machine as can be.
 */

import type { TestDatabase } from '../../test/harness/test-database.ts';

/** int4 and int8 and two short texts beside a body: 200 bytes of a heap tuple with its header. */
const BODY = 'rpad(md5((%)::text), 140, chr(97 + (%)::int % 26))';
const body = (expression: string): string => BODY.replaceAll('(%)', `(${expression})`);

/** In tables of one benchmark the tenant is the first column of the key, as it is for whoever has tenants. */
export const tableSql = (name: string): string =>
  `CREATE TABLE ${name} (tenant text, id bigint, n int NOT NULL, body text NOT NULL, PRIMARY KEY (tenant, id));`;

/** One row for each measurement, written last: where it is visible, everything before it is. */
export const MARKER_SQL = 'CREATE TABLE app.marker (tenant text, id bigint, PRIMARY KEY (tenant, id));';

/** Of small rows, for one transaction of very many. */
const SMALL_SQL = 'CREATE TABLE app.small (tenant text, id bigint, PRIMARY KEY (tenant, id));';

export const SCHEMA_SQL = `CREATE SCHEMA app; ${tableSql('app.t')} ${MARKER_SQL} ${SMALL_SQL}`;

const rowsFrom = (first: string, count: string): string =>
  `SELECT 'acme', ${first} + g, g, ${body(`${first} + g`)} FROM generate_series(0, ${count} - 1) AS g`;

/** Procedures of the source, out of the published schema. */
export const WRITERS_SQL = `
  CREATE SCHEMA bench;
  CREATE PROCEDURE bench.inserts(first bigint, total int, per int) LANGUAGE plpgsql AS $$
  BEGIN
    FOR i IN 0 .. total / per - 1 LOOP
      INSERT INTO app.t ${rowsFrom('first + i * per', 'per')};
      COMMIT;
    END LOOP;
  END $$;
  -- Keys of [first, first + span) in an order that has nothing to do with theirs; 7919 is prime.
  CREATE PROCEDURE bench.updates(first bigint, span int, total int, per int) LANGUAGE plpgsql AS $$
  BEGIN
    FOR i IN 0 .. total / per - 1 LOOP
      UPDATE app.t SET n = n + 1, body = ${body('id + n')} WHERE tenant = 'acme'
         AND id = ANY (ARRAY(SELECT first + ((i * per + g)::bigint * 7919) % span FROM generate_series(0, per - 1) AS g));
      COMMIT;
    END LOOP;
  END $$;
  CREATE PROCEDURE bench.deletes(first bigint, span int, total int, per int) LANGUAGE plpgsql AS $$
  BEGIN
    FOR i IN 0 .. total / per - 1 LOOP
      DELETE FROM app.t WHERE tenant = 'acme'
         AND id = ANY (ARRAY(SELECT first + ((i * per + g)::bigint * 7919) % span FROM generate_series(0, per - 1) AS g));
      COMMIT;
    END LOOP;
  END $$;
  -- Ten rows a transaction: five updates of the first half, two deletes of the second, three new rows.
  CREATE PROCEDURE bench.mixed(first bigint, span int, new bigint, total int) LANGUAGE plpgsql AS $$
  BEGIN
    FOR i IN 0 .. total / 10 - 1 LOOP
      UPDATE app.t SET n = n + 1, body = ${body('id + n')} WHERE tenant = 'acme'
         AND id = ANY (ARRAY(SELECT first + ((i * 5 + g)::bigint * 7919) % (span / 2) FROM generate_series(0, 4) AS g));
      INSERT INTO app.t ${rowsFrom('new + i * 3', '3')};
      DELETE FROM app.t WHERE tenant = 'acme'
         AND id = ANY (ARRAY(SELECT first + span / 2 + ((i * 2 + g)::bigint * 7919) % (span / 2) FROM generate_series(0, 1) AS g));
      COMMIT;
    END LOOP;
  END $$;
  CREATE PROCEDURE bench.hot(first bigint, keys int, total int, per int) LANGUAGE plpgsql AS $$
  BEGIN
    FOR i IN 0 .. total / per - 1 LOOP
      UPDATE app.t SET n = n + 1, body = ${body('id + n')} WHERE tenant = 'acme'
         AND id = ANY (ARRAY(SELECT first + floor(random() * keys)::bigint FROM generate_series(1, per)));
      COMMIT;
    END LOOP;
  END $$;
  -- One transaction every 1/rate seconds, whatever the ones before took.
  CREATE PROCEDURE bench.paced(first bigint, total int, rate int, per int) LANGUAGE plpgsql AS $$
  DECLARE
    start timestamptz := clock_timestamp();
    early float8;
  BEGIN
    FOR i IN 0 .. total - 1 LOOP
      early := extract(epoch FROM start + make_interval(secs => i::float8 / rate) - clock_timestamp());
      IF early > 0 THEN
        PERFORM pg_sleep(early);
      END IF;
      INSERT INTO app.t ${rowsFrom('first + i * per', 'per')};
      COMMIT;
    END LOOP;
  END $$;`;

/** Runs statements in one session of their own that does not wait for the disk at each commit. */
export const write = async (source: TestDatabase, statements: readonly string[]): Promise<void> => {
  await using client = await source.connect();
  await client.query('SET synchronous_commit = off');
  for (const statement of statements) await client.query(statement);
};

export const fill = async (source: TestDatabase, rows: number): Promise<void> => {
  await source.query(`INSERT INTO app.t ${rowsFrom('1', String(rows))}`);
  await source.query('VACUUM (ANALYZE, FREEZE) app.t');
};

/** A commit that waits for the disk, and with it for all commits before. @returns its number */
let markers = 0;
export const mark = async (source: TestDatabase): Promise<number> => {
  const id = ++markers;
  await source.query('INSERT INTO app.marker VALUES ($1, $2)', ['acme', id]);
  return id;
};

export const sees = async (target: TestDatabase, marker: number): Promise<boolean> => {
  const rows = await target.query('SELECT FROM app.marker WHERE tenant = $1 AND id = $2', ['acme', marker]);
  return rows.length === 1;
};
