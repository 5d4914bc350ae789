import { expect, test } from 'vitest';
import { chinookMissing, chinookSql } from './chinook.ts';
import { makePair } from './pair.ts';

test.skipIf(chinookMissing !== null)(`loads Chinook (${chinookMissing ?? 'its file is there'})`, async () => {
  await using pair = await makePair({ fixture: 'empty' });
  await pair.source.query(await chinookSql({ rows: true }));
  await pair.target.query(await chinookSql({ rows: false }));
  const tables = await pair.source.query<{ tables: number; keys: number }>(
    `SELECT count(*) FILTER (WHERE contype = 'p')::int AS tables, count(*) FILTER (WHERE contype = 'f')::int AS keys
       FROM pg_constraint WHERE connamespace = 'public'::regnamespace`,
  );
  expect(tables).toEqual([{ tables: 11, keys: 11 }]);
  const total = `SELECT (SELECT count(*)::int FROM track) AS tracks, (SELECT count(*)::int FROM playlist_track) AS entries`;
  expect(await pair.source.query(total)).toEqual([{ tracks: 3503, entries: 8715 }]);
  expect(await pair.target.query(total)).toEqual([{ tracks: 0, entries: 0 }]);
});
