import { describe, expect, it } from 'vitest';
import { fieldRedactor } from '../policy/redactor.ts';
import type { Route } from './batch.ts';
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
});
