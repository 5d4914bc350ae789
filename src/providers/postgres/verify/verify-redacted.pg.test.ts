import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { makePair, type Pair } from '../../../../test/harness/pair.ts';
import type { ColumnAction } from '../../../core/policy/column-action.ts';
import { linkName, verify } from './verify-pair.fixture.ts';

const KEY = Buffer.from('a secret of this test, 32 bytes.');
const HASH: ColumnAction = { kind: 'hash', key: KEY, length: 64 };
const ACTIONS: Record<string, ColumnAction> = {
  email: HASH,
  code: { kind: 'hash', key: KEY, length: 40 },
  name: { kind: 'mask', text: Buffer.from('***') },
  note: { kind: 'drop' },
};
const digits = (value: string, length = 64): string =>
  createHmac('sha256', KEY).update(value).digest('hex').slice(0, length);

const SCHEMA = `
  CREATE TABLE people (tenant_id text, id int, email text, code char(50), name text, note text, score numeric,
    tags text[], PRIMARY KEY (tenant_id, id));
  CREATE TABLE mails (email text PRIMARY KEY, n int);
  CREATE TABLE visits (email text, at timestamptz);`;
const AWKWARD = [
  '',
  'NULL',
  'null',
  'a b',
  'a,b',
  '{x}',
  'q"q',
  'b\\s',
  'ä€😀',
  'tab\there',
  'line\nbreak',
  '\u00a0',
  '\u000b',
];

const visit = (email: string): string =>
  `INSERT INTO visits SELECT '${email}', '2024-01-01Z' FROM generate_series(1, 3)`;

/** What a link would have carried, computed independently of the code under test. */
const fill = async (pair: Pair): Promise<void> => {
  const rows = Array.from({ length: 600 }, (_, id) => ({
    tenant_id: ['acme', 'globex'][id % 2],
    id,
    email: id % 10 === 9 ? null : `${AWKWARD[id % AWKWARD.length]}${id % 3}`,
    code: `c${id}`,
    name: id % 7 === 0 ? null : `name ${id}`,
    note: 'secret',
    score: `${id}.10`,
    tags: [AWKWARD[id % AWKWARD.length], null],
  }));
  const insert = `INSERT INTO people SELECT * FROM jsonb_populate_recordset(NULL::people, $1)`;
  await pair.source.query(insert, [JSON.stringify(rows)]);
  const carried = rows.map((row) => ({
    ...row,
    email: row.email === null ? null : digits(row.email),
    code: digits(row.code.padEnd(50), 40),
    name: row.name === null ? null : '***',
    note: null,
    score: `${row.id}.1000`,
  }));
  await pair.target.query(insert, [JSON.stringify(carried)]);
};

describe('tables with hashed and masked columns', () => {
  const tenants = { column: 'tenant_id', values: ['acme', 'globex'] };

  test('pass when equal, in one chunk or many', async () => {
    await using pair = await makePair({ fixture: 'empty', sql: SCHEMA });
    await fill(pair);
    const together = await verify(pair, ['public.people'], { tenants, actions: ACTIONS });
    expect(together.tables[0]).toMatchObject({
      verdict: 'pass',
      method: 'through-runner',
      rows: { source: 600, target: 600 },
    });
    const one = { column: 'tenant_id', values: ['acme'] };
    const cut = await verify(pair, ['public.people'], {
      tenants: one,
      actions: ACTIONS,
      limits: { chunkRows: 50 },
    });
    expect(cut.tables[0]).toMatchObject({
      verdict: 'pass',
      chunks: { total: 7 },
      rows: { source: 300, target: 300 },
    });
  });

  test('fail on a changed, a missing and an extra row, on a value left readable, and under another key', async () => {
    await using pair = await makePair({ fixture: 'empty', sql: SCHEMA });
    await fill(pair);
    await pair.target.query(`
      UPDATE people SET email = 'readable' WHERE id = 1;
      UPDATE people SET name = 'readable' WHERE id = 2;
      UPDATE people SET email = '' WHERE id = 9;
      UPDATE people SET score = 0 WHERE id = 4;
      DELETE FROM people WHERE id = 5;
      INSERT INTO people (tenant_id, id) VALUES ('acme', 1000)`);
    const { tables } = await verify(pair, ['public.people'], { tenants, actions: ACTIONS });
    expect(tables[0]?.keys.map(({ kind, key, link }) => [Number(key['id']), kind, link]).toSorted()).toEqual([
      [1, 'changed', linkName('globex')],
      [1000, 'extra', linkName('acme')],
      [2, 'changed', linkName('acme')],
      [4, 'changed', linkName('acme')],
      [5, 'missing', linkName('globex')],
      [9, 'changed', linkName('globex')],
    ]);
    const other = { ...ACTIONS, email: { kind: 'hash', key: Buffer.alloc(32, 1), length: 64 } as const };
    const wrong = await verify(pair, ['public.people'], {
      tenants,
      actions: other,
      limits: { maxDifferences: 10 },
    });
    expect(wrong.tables[0]).toMatchObject({ verdict: 'fail' });
  });

  test('a hashed key is compared and named by its hash, and never shown', async () => {
    await using pair = await makePair({ fixture: 'empty', sql: SCHEMA });
    const emails = Array.from({ length: 100 }, (_, i) => `user${i}@example.org`);
    await pair.source.query('INSERT INTO mails SELECT e, 1 FROM unnest($1::text[]) e', [emails]);
    await pair.target.query('INSERT INTO mails SELECT e, 1 FROM unnest($1::text[]) e', [
      emails.map((e) => digits(e)),
    ]);
    expect((await verify(pair, ['public.mails'], { actions: { email: HASH } })).tables[0]?.verdict).toBe(
      'pass',
    );
    await pair.target.query('UPDATE mails SET n = 2 WHERE email = $1', [digits('user7@example.org')]);
    await pair.source.query('DELETE FROM mails WHERE email = $1', ['user8@example.org']);
    const result = await verify(pair, ['public.mails'], { actions: { email: HASH } });
    expect(result.tables[0]?.keys.map(({ kind, key }) => `${kind} ${key['email']}`).toSorted()).toEqual([
      `changed ${digits('user7@example.org')}`,
      `extra ${digits('user8@example.org')}`,
    ]);
    expect(
      JSON.stringify(result, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
    ).not.toContain('example.org');
  });

  test('without a key, equal rows are counted after redaction', async () => {
    await using pair = await makePair({ fixture: 'empty', sql: SCHEMA });
    await pair.source.query(visit('a@example.org'));
    await pair.target.query(visit(digits('a@example.org')));
    const actions = { email: HASH };
    expect((await verify(pair, ['public.visits'], { actions })).tables[0]?.verdict).toBe('pass');
    await pair.target.query('DELETE FROM visits WHERE ctid = (SELECT min(ctid) FROM visits)');
    expect((await verify(pair, ['public.visits'], { actions })).tables[0]).toMatchObject({
      verdict: 'fail',
      keys: [{ kind: 'missing' }],
    });
  });

  test('no secret and no readable value of a hashed column stands in a statement, which servers log', async () => {
    await using pair = await makePair({ fixture: 'empty', sql: SCHEMA });
    await fill(pair);
    await pair.target.query('UPDATE people SET score = 0 WHERE id = 4');
    const statements: string[] = [];
    await verify(pair, ['public.people'], {
      tenants,
      actions: ACTIONS,
      spy: (text) => statements.push(text),
    });
    expect(statements.length).toBeGreaterThan(5);
    const all = statements.join('\n');
    expect(all).not.toContain(KEY.toString());
    expect(all).not.toContain(KEY.toString('hex'));
    expect(all).not.toContain(digits('a b1'));
  });
});
