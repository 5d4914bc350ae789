import { describe, expect, test } from 'vitest';
import { fieldRedactor } from '../policy/redactor.ts';
import {
  Batch,
  DELETE,
  HAS_UNCHANGED,
  INSERT,
  KEY_CHANGED,
  UPDATE,
  type Route,
  type Variant,
} from './batch.ts';
import { netEffect, type Place } from './coalesce.ts';
import { KeyStates } from './key-states.ts';
import { ZERO_LSN } from './lsn.ts';
import { readInt32 } from './pgoutput.ts';
import { fieldOffsets, makeTuplePlan, NULL_FIELD, UNCHANGED_FIELD } from './tuple-plan.ts';

/** id is the key; undefined is an unchanged TOAST value. */
type Row = readonly [id: string, v: string | null | undefined, w: string | null | undefined];

const allow = fieldRedactor({ kind: 'allow' });
const plan = makeTuplePlan(
  ['id', 'v', 'w'].map((name) => ({ name, redactor: allow })),
  new Set(['id']),
);
const variant: Variant = { table: 'app.t', relation: 1, plan };
const route: Route = {
  link: 'l',
  tenant: 't',
  variant,
  scope: null,
  from: ZERO_LSN,
  seen: null,
  unseen: null,
};

const writeField = (batch: Batch, value: string | null | undefined): void => {
  const { arena } = batch;
  if (value === undefined) arena.int32(UNCHANGED_FIELD);
  else if (value === null) arena.int32(NULL_FIELD);
  else {
    const bytes = Buffer.from(value);
    arena.int32(bytes.length);
    arena.copy(bytes, 0, bytes.length);
  }
};

const writeKey = (batch: Batch, id: string): [number, number] => {
  const start = batch.arena.length;
  writeField(batch, id);
  return [start, batch.arena.length];
};

const writeRow = (batch: Batch, row: Row): [number, number] => {
  const start = batch.arena.length;
  batch.arena.copy(Buffer.from([0, 3]), 0, 2);
  for (const value of row) writeField(batch, value);
  return [start, batch.arena.length];
};

const insert = (batch: Batch, row: Row, by = route): void =>
  batch.add(INSERT, by, 0, ...writeRow(batch, row), ...writeKey(batch, row[0]));
const remove = (batch: Batch, id: string): void => batch.add(DELETE, route, 0, 0, 0, ...writeKey(batch, id));
const update = (batch: Batch, id: string, row: Row): void => {
  const flags = (row.includes(undefined) ? HAS_UNCHANGED : 0) | (row[0] === id ? 0 : KEY_CHANGED);
  batch.add(UPDATE, route, flags, ...writeRow(batch, row), ...writeKey(batch, id));
};

const readField = (batch: Batch, at: number): string | null | undefined => {
  const length = readInt32(batch.arena.bytes, at);
  if (length < 0) return length === NULL_FIELD ? null : undefined;
  return batch.arena.bytes.toString('utf8', at + 4, at + 4 + length);
};

const readRow = (batch: Batch, at: number): Row => {
  const [id, v, w] = fieldOffsets(batch.arena.bytes, at)
    .slice(0, -1)
    .map((offset) => readField(batch, offset));
  return [id!, v, w];
};

type Table = Map<string, [string, string | null, string | null]>;

const place: Place = { name: 'app.t', keepsRow: false, ordered: 'nothing' };
/** One for all batches, as a session has it. */
const keys = new KeyStates();

/** What the target does with a net effect; fails where a statement would. */
const applyEffect = (batch: Batch, table: Table): boolean => {
  const { effects, inOrder } = netEffect(batch, () => place, keys);
  if (inOrder.size > 0) return false;
  const [effect] = effects;
  if (!effect) return true;
  for (let at = 0; at < effect.deletes.length; at += 2) {
    const id = readField(batch, effect.deletes[at]!)!;
    if (!table.delete(id)) throw new Error(`${id} was deleted and is not there`);
  }
  for (const rows of effect.updates.values())
    for (let at = 0; at < rows.length; at += 2) {
      const [id, v, w] = readRow(batch, rows[at]!);
      const before = table.get(id);
      if (!before) throw new Error(`${id} was updated and is not there`);
      table.set(id, [id, v === undefined ? before[1] : v, w === undefined ? before[2] : w]);
    }
  for (let at = 0; at < effect.inserts.length; at += 2) {
    const [id, v, w] = readRow(batch, effect.inserts[at]!);
    if (table.has(id)) throw new Error(`${id} was inserted and is there`);
    if (v === undefined || w === undefined) throw new Error(`${id} was inserted without all its fields`);
    table.set(id, [id, v, w]);
  }
  return true;
};

const random = (seed: number): ((below: number) => number) => {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % below;
  };
};

/** A history as a source could have it: keys are unique at every moment. */
const randomHistory = (pick: (below: number) => number, batch: Batch, table: Table): void => {
  const value = (): string | null => (pick(5) === 0 ? null : `v${pick(1000)}`);
  for (let changes = 1 + pick(30); changes > 0; changes--) {
    const id = `k${pick(6)}`;
    const row = table.get(id);
    const kind = pick(10);
    if (!row) {
      const [v, w] = [value(), value()];
      table.set(id, [id, v, w]);
      insert(batch, [id, v, w]);
    } else if (kind < 3) {
      table.delete(id);
      remove(batch, id);
    } else {
      const to = kind < 6 ? `k${pick(6)}` : id;
      if (to !== id && table.has(to)) continue;
      const v = pick(3) === 0 ? undefined : value();
      const w = pick(3) === 0 ? undefined : value();
      table.delete(id);
      table.set(to, [to, v === undefined ? row[1] : v, w === undefined ? row[2] : w]);
      update(batch, id, [to, v, w]);
    }
  }
};

const routeOf = (table: string): Route => ({ ...route, variant: { ...variant, table } });

/** In which order new rows reach the target. */
const inserted = (ids: readonly string[]): string[] => {
  const batch = new Batch();
  for (const id of ids) insert(batch, [id, null, null]);
  const inserts = netEffect(batch, () => place).effects[0]?.inserts ?? [];
  return inserts.filter((_, at) => at % 2 === 0).map((at) => readRow(batch, at)[0]);
};

describe('net effect', () => {
  test('of any history is what the source has, or the order is kept', () => {
    let asSets = 0;
    const batch = new Batch();
    for (let seed = 1; seed <= 3_000; seed++) {
      const pick = random(seed);
      const source: Table = new Map();
      for (let id = 0; id < 6; id++) if (pick(2) === 0) source.set(`k${id}`, [`k${id}`, 'old', null]);
      const target: Table = new Map([...source].map(([id, [, v, w]]) => [id, [id, v, w]]));
      batch.reset();
      randomHistory(pick, batch, source);
      if (!applyEffect(batch, target)) continue;
      asSets++;
      const rows = (table: Table): string =>
        JSON.stringify([...table].toSorted(([a], [b]) => (a < b ? -1 : 1)));
      if (rows(target) !== rows(source)) expect.fail(`seed ${seed}: ${rows(target)} is not ${rows(source)}`);
    }
    expect(asSets).toBeGreaterThan(1_500);
  });

  test('is not taken where a moved row lacks fields that nobody here has', () => {
    const batch = new Batch();
    update(batch, 'a', ['b', 'v', undefined]);
    expect(netEffect(batch, () => place)).toEqual({ effects: [], inOrder: new Set([variant]) });
  });

  test('is not taken for a changed key of rows that have values of their own', () => {
    const batch = new Batch();
    update(batch, 'a', ['b', 'v', 'w']);
    expect(netEffect(batch, () => ({ ...place, keepsRow: true })).inOrder).toEqual(new Set([variant]));
    expect(netEffect(batch, () => place)).toMatchObject({ effects: [{ variant }], inOrder: new Set() });
  });

  test('of a row that came and went is nothing', () => {
    const batch = new Batch();
    insert(batch, ['a', 'v', 'w']);
    update(batch, 'a', ['b', undefined, 'x']);
    remove(batch, 'b');
    expect(netEffect(batch, () => place).effects).toMatchObject([{ deletes: [], inserts: [] }]);
  });

  test('keeps the order of the tables alone that need it, and of all variants of such a table', () => {
    const [plain, keyless, sibling] = [routeOf('app.plain'), routeOf('app.keyless'), routeOf('app.keyless')];
    const batch = new Batch();
    for (const by of [plain, keyless, sibling, plain, keyless])
      insert(batch, [`k${batch.size}`, 'v', 'w'], by);
    batch.keepOrder(keyless.variant);
    const placed = (ordered: Place['ordered']) => (of: Variant) => ({
      ...place,
      name: of.table,
      ordered: of === plain.variant ? ordered : 'nothing',
    });
    const { effects, inOrder } = netEffect(batch, placed('nothing'));
    expect(inOrder).toEqual(new Set([keyless.variant, sibling.variant]));
    expect(effects.map((effect) => [effect.variant, effect.inserts.length])).toEqual([[plain.variant, 4]]);
    // A trigger may look at any table.
    expect(netEffect(batch, placed('batch'))).toMatchObject({ effects: [], inOrder: { size: 3 } });
  });

  test('inserts rows of many tenants in the order of their keys, and those of one as they lie', () => {
    const ids = Array.from({ length: 60 }, (_, at) => `t${at % 3} ${10 + Math.floor(at / 3)}`);
    expect(inserted(ids)).toEqual(ids.toSorted());
    expect(inserted(ids.toSorted())).toEqual(ids.toSorted());
    expect(inserted([])).toEqual([]);
  });

  test('of hot keys is one row for each key', () => {
    const batch = new Batch();
    for (let round = 0; round < 100; round++)
      update(batch, `k${round % 3}`, [`k${round % 3}`, `v${round}`, 'w']);
    const [effect] = netEffect(batch, () => place).effects;
    expect(effect!.updates.get('')).toHaveLength(6);
  });
});
