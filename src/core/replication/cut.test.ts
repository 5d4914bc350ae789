import { describe, expect, test } from 'vitest';
import type { ColumnFacts, IndexFacts, TableFacts } from '../topology/table.ts';
import { chooseCut, inRange, mixesSnapshots, PAGES, parseCutValue, readCutValue } from './cut.ts';

const INT8 = 20;
const UUID = 2950;
const TEXT = 25;

const column = (name: string, typeOid: number, correlation: number | null = 1): ColumnFacts => ({
  name,
  number: 1,
  typeOid,
  typeName: '',
  typeModifier: -1,
  notNull: true,
  default: null,
  generated: 'none',
  identity: 'none',
  collation: null,
  correlation,
});

const index = (columns: string[], more: Partial<IndexFacts> = {}): IndexFacts => ({
  name: 'i',
  columns,
  primary: true,
  unique: true,
  exclusion: false,
  immediate: true,
  partialOrExpression: false,
  valid: true,
  ...more,
});

const table = (columns: ColumnFacts[], key: string[], more: Partial<TableFacts> = {}): TableFacts => ({
  oid: 1,
  schema: 'app',
  name: 't',
  kind: 'r',
  persistence: 'permanent',
  isPartition: false,
  leaves: [],
  columns,
  indexes: key.length > 0 ? [index(key)] : [],
  identity: 'default',
  identityColumns: key,
  primaryKey: key,
  triggers: [],
  foreignKeys: [],
  rowSecurity: false,
  estimatedRows: 1_000_000,
  bytes: 2 ** 30,
  ...more,
});

describe('how a table is cut', () => {
  const id = column('id', INT8);
  const tenant = column('tenant', TEXT);

  test.each<[string, TableFacts, string | null, unknown]>([
    ['by its key', table([id], ['id']), null, { name: 'id', kind: 'integer' }],
    [
      'by the key behind the tenant',
      table([tenant, id], ['tenant', 'id']),
      'tenant',
      { name: 'id', kind: 'integer' },
    ],
    // Without the tenant's filter a range of id would be no range of the index, and every chunk would read it all.
    ['by pages where the index does not lead with it', table([tenant, id], ['tenant', 'id']), null, PAGES],
    [
      'by pages where the order is random and the table large',
      table([column('id', UUID, 0)], ['id']),
      null,
      PAGES,
    ],
    [
      'by key where the table is small',
      table([column('id', UUID, 0)], ['id'], { bytes: 2 ** 20 }),
      null,
      { name: 'id', kind: 'uuid' },
    ],
    ['by pages where the key is text', table([tenant], ['tenant']), null, PAGES],
    ['by pages without a key', table([id], []), null, PAGES],
    [
      'not at all where it is partitioned by something else',
      table([tenant], ['tenant'], { kind: 'p' }),
      null,
      null,
    ],
    [
      'never by a column that a delete does not name',
      table([tenant, id], ['id'], { identity: 'index', identityColumns: ['tenant'] }),
      null,
      PAGES,
    ],
  ])('%s', (_name, facts, scope, expected) => {
    expect(chooseCut(facts, scope)).toEqual(expected);
  });

  test('rows of two snapshots are kept apart where another unique constraint could see both', () => {
    expect(mixesSnapshots(table([id], ['id']))).toBe(true);
    const both = table([id, column('email', TEXT)], ['id']);
    expect(
      mixesSnapshots({ ...both, indexes: [...both.indexes, index(['email'], { primary: false })] }),
    ).toBe(false);
  });

  test('values compare as the server orders them, in binary and in text', () => {
    const binary = Buffer.alloc(8);
    binary.writeBigInt64BE(-5n);
    expect(readCutValue('integer', binary, 0, 8, true)).toBe(-5n);
    expect(readCutValue('integer', Buffer.from([0xff, 0xfe]), 0, 2, true)).toBe(-2n);
    expect(readCutValue('integer', Buffer.from('-12'), 0, 3, false)).toBe(-12n);
    const uuid = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
    const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex');
    expect(readCutValue('uuid', bytes, 0, 16, true)).toBe(parseCutValue('uuid', uuid.toUpperCase()));
    expect([inRange(-5n, null, -5n), inRange(-5n, -5n, null), inRange(9n, 10n, 20n)]).toEqual([
      false,
      true,
      false,
    ]);
  });
});
