/** What core/change/binary-types.ts says of servers, asked of two servers whose types have other OIDs. */

import { pipeline } from 'node:stream/promises';
import { from, to } from 'pg-copy-streams';
import { describe, expect, test } from 'vitest';
import { makePair, type Pair } from '../../../../test/harness/pair.ts';
import { binaryMismatch } from '../../../core/change/binary-types.ts';
import { readCatalogue } from '../catalogue/catalogue.ts';

const TYPES = `
  CREATE TYPE mood AS ENUM ('sad', 'ok');
  CREATE TYPE spot AS (x int, m mood, n numeric);
  CREATE TYPE nest AS (a spot, b spot[], d text);
  CREATE DOMAIN moods AS mood[];
  CREATE DOMAIN spots AS spot[];
  CREATE DOMAIN few AS int CHECK (VALUE > 0);
  CREATE TYPE span AS RANGE (subtype = mood, multirange_type_name = spans);
  CREATE TABLE t (e mood, ea mood[], c spot, ca spot[], n nest, na nest[][], d moods, ds spots, r span, rs spans,
    ra span[], fa few[])`;
const ROW = `INSERT INTO t SELECT 'ok', '{sad,ok,NULL}', '(1,ok,1.50)', array[s, NULL], w, array[[w], [w]], '{sad}',
  array[s], '[sad,ok)', '{[sad,ok)}', array['[sad,ok)'::span], '{5}'
  FROM (SELECT row(1,'ok',2)::spot AS s, row(row(1,'sad',1)::spot, array[row(2,'ok',3)::spot], 'x')::nest AS w) AS v`;

const columns = async (side: Pair['source']) => {
  await using client = await side.connect();
  const catalogue = await readCatalogue(client);
  return { columns: catalogue.tables.get('public.t')?.columns ?? [], types: catalogue.types };
};

const judge = async (pair: Pair) => {
  const [source, target] = [await columns(pair.source), await columns(pair.target)];
  return source.columns.map((column, i) => ({
    name: column.name,
    sameOid: column.typeOid === target.columns[i]?.typeOid,
    why: binaryMismatch(column.typeOid, source.types, target.columns[i]?.typeOid ?? 0, target.types),
  }));
};

const copy = async (pair: Pair): Promise<void> => {
  await using source = await pair.source.connect();
  await using target = await pair.target.connect();
  await pipeline(
    source.query(to('COPY t TO STDOUT (FORMAT binary)')),
    target.query(from('COPY t FROM STDIN (FORMAT binary)')),
  );
};

describe('binary values between servers', () => {
  test('pass as they are, although every user-defined type has another OID', async () => {
    await using pair = await makePair({ fixture: 'empty' });
    await pair.target.query("CREATE TYPE other AS ENUM ('a'); CREATE TYPE another AS (a int, b other)");
    for (const side of [pair.source, pair.target]) await side.query(TYPES);
    await pair.source.query(ROW);
    const judged = await judge(pair);
    expect(judged.every((column) => !column.sameOid && column.why === null)).toBe(true);
    await copy(pair);
    expect(await pair.target.query('SELECT t::text FROM t')).toEqual(
      await pair.source.query('SELECT t::text FROM t'),
    );
  });

  test('a composite whose fields are swapped is taken by the server without complaint, and refused by us', async () => {
    await using pair = await makePair({ fixture: 'empty' });
    await pair.source.query(
      'CREATE TYPE flag AS (a int, b int); CREATE TABLE t (f flag); INSERT INTO t VALUES (row(1, 2))',
    );
    await pair.target.query('CREATE TYPE flag AS (b int, a int); CREATE TABLE t (f flag)');
    await copy(pair);
    expect(await pair.target.query('SELECT (f).a, (f).b FROM t')).toEqual([{ a: 2, b: 1 }]);
    expect((await judge(pair))[0]?.why).toContain('has fields');
  });
});
