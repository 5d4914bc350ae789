import { describe, expect, it } from 'vitest';
import { fieldRedactor } from '../policy/redactor.ts';
import type { Batch, Route } from './batch.ts';
import { Collector } from './collector.ts';
import { lsnOf, ZERO_LSN } from './lsn.ts';
import { makeTuplePlan } from './tuple-plan.ts';

describe('a collector with an end', () => {
  it('counts nothing of a transaction past it: neither its changes nor its position', () => {
    const collector = new Collector({ routes: () => null }, lsnOf(100n));
    collector.begin(lsnOf(90n), 0, 1);
    collector.commit(lsnOf(90n), lsnOf(95n), 0);
    expect(collector.batch.position).toBe(95n);
    // What the server had sent already when the end was met.
    for (const at of [100n, 120n]) {
      collector.begin(lsnOf(at), 0, Number(at));
      expect(collector.reachedEnd).toBe(true);
      expect(collector.inTransaction).toBe(false);
      collector.commit(lsnOf(at), lsnOf(at + 5n), 0);
    }
    expect(collector.batch.position).toBe(95n);
    expect(collector.batch.commitsMs).toHaveLength(1);
  });
});

const column = (name: string) => ({ name, typeOid: 25, typeModifier: -1, key: name === 'id' });

/** int16 count, then kinds: text of one letter, or n and u without a value. */
const row = (...fields: readonly string[]): Buffer =>
  Buffer.concat([
    Buffer.from([0, fields.length]),
    ...fields.map((one) =>
      one === 'n' || one === 'u' ? Buffer.from(one) : Buffer.from([0x74, 0, 0, 0, 1, one.charCodeAt(0)]),
    ),
  ]);

const textOf = ({ arena }: Batch, start: number, end: number): string =>
  arena.bytes.toString('latin1', start, end).replace(/[^a-z]/g, '');
const changes = (batch: Batch): string[] =>
  Array.from({ length: batch.size }, (_, at) => {
    const row = textOf(batch, batch.rowStart[at]!, batch.rowEnd[at]!);
    return `${batch.operation[at]} ${row} ${textOf(batch, batch.keyStart[at]!, batch.keyEnd[at]!)}`;
  });
const whole = (collector: Collector, at: bigint, ...keys: readonly string[]): void => {
  collector.begin(lsnOf(at), 0, Number(at));
  for (const key of keys) collector.insert(9, row(key, 'v'), 0);
  collector.commit(lsnOf(at), lsnOf(at + 5n), 0);
};

describe('a collector', () => {
  const relation = { oid: 9, schema: 'app', name: 't', identity: 'd', columns: ['id', 'v'].map(column) };
  const collectorOf = (keyless: boolean): Collector => {
    const fields = ['id', 'v'].map((name) => ({ name, redactor: fieldRedactor({ kind: 'allow' }) }));
    const plan = makeTuplePlan(fields, new Set(keyless ? [] : ['id']));
    const route: Route = {
      link: 'rule:tenant:a:b',
      tenant: 'tenant',
      variant: { table: 'app.t', plan, relation: 9 },
      scope: null,
      from: ZERO_LSN,
      seen: null,
      unseen: null,
    };
    const routes = { tenantField: null, byTenant: new Map([['', route]]), keyless, ordered: keyless };
    const collector = new Collector({ routes: () => routes }, null);
    collector.relation(relation);
    return collector;
  };
  it('refuses changes outside of a transaction, and transactions that begin or end where none may', () => {
    const refusal = { code: 'XC-5201' };
    const collector = collectorOf(false);
    expect(() => collector.insert(9, row('a', 'b'), 0)).toThrowError(expect.objectContaining(refusal));
    expect(() => collector.commit(lsnOf(90n), lsnOf(95n), 0)).toThrowError(expect.objectContaining(refusal));
    collector.begin(lsnOf(90n), 0, 1);
    collector.insert(9, row('a', 'b'), 0);
    expect(() => collector.begin(lsnOf(91n), 0, 2)).toThrowError(expect.objectContaining(refusal));
    expect(() => collector.commit(lsnOf(91n), lsnOf(95n), 0)).toThrowError(expect.objectContaining(refusal));
    collector.commit(lsnOf(90n), lsnOf(95n), 0);
    expect(collector.batch.size).toBe(1);
  });

  it.each([true, false])('refuses an old row that does not say its values (keyless: %s)', (keyless) => {
    const refusal = expect.objectContaining({ code: 'XC-5201' });
    const collector = collectorOf(keyless);
    collector.begin(lsnOf(90n), 0, 1);
    expect(() => collector.delete(9, row('u', 'b'), 'K', 0)).toThrowError(refusal);
    const both = Buffer.concat([row('a', 'u'), row('c', 'u')]);
    expect(() => collector.update(9, both, 'O', 0, row('a', 'u').length)).toThrowError(refusal);
  });

  it('takes a key that is stored out of line from the old row, and refuses a row that does not say it', () => {
    const collector = collectorOf(false);
    collector.begin(lsnOf(90n), 0, 1);
    const both = Buffer.concat([row('a', 'n'), row('u', 'c')]);
    collector.update(9, both, 'K', 0, row('a', 'n').length);
    const { batch } = collector;
    expect(batch.size).toBe(1);
    expect(batch.arena.bytes.toString('latin1', (batch.rowStart[0] ?? 0) + 2, batch.rowEnd[0])).toBe(
      '\0\0\0\x01a\0\0\0\x01c',
    );
    const refusal = expect.objectContaining({ code: 'XC-5201' });
    expect(() => collector.update(9, row('u', 'c'), null, -1, 0)).toThrowError(refusal);
  });

  describe('that is asked for a batch within a transaction', () => {
    it('gives the whole ones, and keeps what came of the last for the next', () => {
      const collector = collectorOf(false);
      whole(collector, 90n, 'a', 'b');
      collector.begin(lsnOf(100n), 0, 2);
      collector.insert(9, row('c', 'w'), 0);
      collector.delete(9, row('a', 'n'), 'K', 0);
      const both = Buffer.concat([row('b', 'n'), row('d', 'x')]);
      collector.update(9, both, 'K', 0, row('b', 'n').length);
      expect(collector.wholeBytes).toBeGreaterThan(0);
      const first = collector.take();
      expect([first.open, first.position, first.commitsMs.length]).toEqual([false, 95n, 1]);
      expect(changes(first)).toEqual(['1 av a', '1 bv b']);
      expect([...first.counts.values()]).toMatchObject([{ inserts: 2, updates: 0, deletes: 0, bytes: 24 }]);
      expect(collector.wholeBytes).toBe(0);
      collector.insert(9, row('e', 'y'), 0);
      collector.commit(lsnOf(100n), lsnOf(105n), 0);
      const second = collector.take(first);
      expect([second.open, second.position, second.commitsMs.length]).toEqual([false, 105n, 1]);
      expect(changes(second)).toEqual(['1 cw c', '3  a', '2 dx b', '1 ey e']);
      expect([...second.counts.values()]).toMatchObject([{ inserts: 2, updates: 1, deletes: 1, bytes: 36 }]);
    });

    it('gives a part of the last where nothing whole came before, or its changes keep their order', () => {
      const alone = collectorOf(false);
      alone.begin(lsnOf(90n), 0, 1);
      alone.insert(9, row('a', 'v'), 0);
      expect(alone.wholeBytes).toBe(0);
      expect(alone.take()).toMatchObject({ open: true, size: 1 });
      const keyless = collectorOf(true);
      whole(keyless, 90n, 'a');
      keyless.begin(lsnOf(100n), 0, 2);
      keyless.insert(9, row('b', 'v'), 0);
      expect(keyless.wholeBytes).toBe(0);
      expect(keyless.take()).toMatchObject({ open: true, size: 2 });
    });
  });
});
