import { describe, expect, it } from 'vitest';
import type { Link } from '../../topology/link.ts';
import type { Catalogue, SequenceFacts, TableFacts, TypeFacts } from '../../topology/table.ts';
import { isBlocking } from '../finding.ts';
import { catalogue, column, index, links, orders, type } from './table/sample.ts';
import { checkTables, checkTablesFully, TABLE_CHECKS } from './tables.ts';

interface Case {
  readonly source?: readonly TableFacts[];
  readonly target?: readonly TableFacts[];
  readonly sourceTypes?: readonly TypeFacts[];
  readonly targetTypes?: readonly TypeFacts[];
  readonly sourceSequences?: readonly SequenceFacts[];
  readonly links?: readonly Link[];
}

const check = (input: Case) => {
  const source = input.source ?? [orders()];
  return checkTables({
    links: input.links ?? links(),
    source: catalogue(source, input.sourceTypes, input.sourceSequences),
    target: catalogue(input.target ?? source, input.targetTypes ?? input.sourceTypes),
  });
};

const found = (input: Case) =>
  check(input).map(({ check: name, region, subject, severity, code }) =>
    [name, region, subject, severity, code].join(' '),
  );

const remedies = (input: Case) => check(input).map((finding) => finding.remedy);

const withColumns = (...more: ReturnType<typeof column>[]): TableFacts =>
  orders({ columns: [...orders().columns, ...more] });

const leaf = (name: string, more: Partial<TableFacts> = {}) => orders({ name, isPartition: true, ...more });

const withTenant = (tenant: ReturnType<typeof column>) =>
  orders({ columns: [tenant, ...orders().columns.slice(1)] });

const moodOf = (...labels: string[]) => type(90_001, 'shop', 'mood', { kind: 'e', labels });

const few = (constraints: Record<string, string>) =>
  type(90_002, 'shop', 'few', {
    kind: 'd',
    baseOid: 23,
    strictDomain: Object.keys(constraints).length > 0,
    constraints,
  });

const root = (...leaves: string[]) => orders({ kind: 'p', leaves });

const trigger = (enabled: 'O' | 'A' | 'R' | 'D') => [
  orders({ triggers: [{ name: 't', enabled, timing: 'AFTER INSERT FOR EACH ROW' }] }),
];

const ruled = (
  columns: Record<string, 'allow' | { action: 'hash' | 'mask' | 'drop'; key?: string }>,
  mode?: 'active-active',
) =>
  links(
    {
      acme: {
        scope: { kind: 'column', column: 'tenant_id', value: 'acme' },
        columns: { 'shop.orders': columns },
      },
    },
    mode ? { mode } : {},
  );

describe('checkTables', () => {
  it('finds nothing on tables that are as they should be', () => {
    expect(check({})).toEqual([]);
  });

  it('lists every check as passed where all rows are asked for', () => {
    const rows = checkTablesFully({
      links: links(),
      source: catalogue([orders()]),
      target: catalogue([orders()]),
    });
    expect(rows.map((row) => row.check).toSorted()).toEqual(TABLE_CHECKS.map((one) => one.name).toSorted());
    expect(rows.every((row) => row.verdict === 'pass' && row.subject === 'shop.orders')).toBe(true);
  });

  it('blocks a rule that names nothing', () => {
    expect(found({ source: [] })).toEqual(['tables-in-scope us shop:acme:us:eu block XC-5313']);
  });

  it('leaves alone what the rule excludes', () => {
    const stray = orders({ name: 'stray', identityColumns: [], columns: [column('id', 'bigint')] });
    expect(
      found({
        source: [orders(), stray],
        target: [orders()],
        links: links(undefined, { tables: ['shop.*', '!shop.stray'] }),
      }),
    ).toEqual([]);
  });
});

describe('row filter and identity', () => {
  it('blocks a tenant column outside the replica identity, with statements that build the index', () => {
    const table = orders({
      identityColumns: ['id'],
      primaryKey: ['id'],
      indexes: [index('orders_pkey', ['id'], { primary: true })],
    });
    expect(found({ source: [table] })).toEqual(['row-filter-identity us shop.orders block XC-5310']);
    expect(remedies({ source: [table] })).toEqual([
      'CREATE UNIQUE INDEX CONCURRENTLY "orders_replica_identity" ON "shop"."orders" ("tenant_id", "id"); ' +
        'ALTER TABLE "shop"."orders" REPLICA IDENTITY USING INDEX "orders_replica_identity";',
    ]);
  });

  it('sets NOT NULL first, and appoints an index that is there already', () => {
    const table = orders({
      columns: [column('tenant_id', 'text'), column('id', 'bigint', { notNull: true })],
      identityColumns: ['id'],
      primaryKey: ['id'],
      indexes: [index('orders_pkey', ['id'], { primary: true }), index('both', ['id', 'tenant_id'])],
    });
    expect(remedies({ source: [table] })[0]).toBe(
      'ALTER TABLE "shop"."orders" ALTER COLUMN "tenant_id" SET NOT NULL; ALTER TABLE "shop"."orders" REPLICA IDENTITY USING INDEX "both";',
    );
  });

  it('does not ask for the tenant column of tables that publish inserts only, or of whole tables', () => {
    const keyless = orders({ identityColumns: [], primaryKey: [], indexes: [] });
    expect(found({ source: [keyless] })).toEqual(['replica-identity us shop.orders warn XC-5311']);
    const whole = links({ acme: { scope: { kind: 'schema', schema: 'shop' } } });
    const byId = orders({
      identityColumns: ['id'],
      primaryKey: ['id'],
      indexes: [index('pk', ['id'], { primary: true })],
    });
    expect(found({ source: [byId], links: whole })).toEqual([]);
  });

  it('judges each partition by its own identity', () => {
    const root = orders({ kind: 'p', leaves: ['shop.orders_1', 'shop.orders_2'] });
    const good = [root, leaf('orders_1'), leaf('orders_2')];
    expect(found({ source: good })).toEqual([]);
    const bare = [root, leaf('orders_1', { identityColumns: [], identity: 'nothing' }), leaf('orders_2')];
    expect(found({ source: bare })).toEqual(['replica-identity us shop.orders_1 block XC-5311']);
    const other = [root, leaf('orders_1', { identityColumns: ['id'], identity: 'index' }), leaf('orders_2')];
    expect(found({ source: other })).toEqual(['row-filter-identity us shop.orders_1 block XC-5310']);
    expect(remedies({ source: other })[0]).toContain('ADD PRIMARY KEY ("tenant_id", "id")');
  });

  it('warns of partitions to come where FULL, and not the key, holds the tenant column', () => {
    const full: Partial<TableFacts> = {
      identity: 'full',
      identityColumns: ['tenant_id', 'id', 'note'],
      primaryKey: ['id'],
      indexes: [index('pk', ['id'], { primary: true })],
    };
    const root = orders({ kind: 'p', leaves: ['shop.orders_1'], ...full });
    const source = [root, orders({ name: 'orders_1', isPartition: true, ...full })];
    expect(found({ source })).toEqual(['row-filter-identity us shop.orders warn XC-5310']);
  });

  it('blocks a table without the tenant column and says how to exclude it', () => {
    const table = orders({
      columns: [column('id', 'bigint', { notNull: true })],
      identityColumns: ['id'],
      primaryKey: ['id'],
      indexes: [index('pk', ['id'], { primary: true })],
    });
    expect(found({ source: [table] })).toEqual(['tenant-column us shop.orders block XC-5312']);
    expect(remedies({ source: [table] })[0]).toContain('"!shop.orders"');
  });

  it('blocks tenant columns that no filter can use, and values that do not fit', () => {
    const mood = type(90_001, 'shop', 'mood', { kind: 'e', labels: ['acme'] });
    expect(
      found({
        source: [withTenant(column('tenant_id', 'shop.mood', { notNull: true }))],
        sourceTypes: [mood],
      }),
    ).toEqual(['tenant-column us shop.orders block XC-5334']);
    expect(found({ source: [withTenant(column('tenant_id', 'bigint', { notNull: true }))] })).toEqual([
      'tenant-column us shop.orders block XC-5335',
    ]);
    const seven = links({ acme: { scope: { kind: 'column', column: 'tenant_id', value: '7' } } });
    expect(
      found({ source: [withTenant(column('tenant_id', 'bigint', { notNull: true }))], links: seven }),
    ).toEqual([]);
    expect(
      found({ source: [withTenant(column('tenant_id', 'text', { notNull: true, collation: 'shop.de' }))] }),
    ).toEqual(['tenant-column us shop.orders block XC-5334']);
    expect(
      found({
        source: [withTenant(column('tenant_id', 'text', { notNull: true, collation: 'pg_catalog."C"' }))],
      }),
    ).toEqual([]);
  });

  it('blocks tenants that scope one table in two ways', () => {
    const two = links({
      acme: { scope: { kind: 'column', column: 'tenant_id', value: 'acme' } },
      umbra: { scope: { kind: 'schema', schema: 'shop' } },
    });
    expect(found({ links: two })).toEqual(['tenant-column us shop.orders block XC-5330']);
  });

  it('warns of FULL without a key', () => {
    const full = orders({
      identity: 'full',
      identityColumns: ['tenant_id', 'id', 'note'],
      primaryKey: [],
      indexes: [],
    });
    expect(found({ source: [full] })).toEqual(['replica-identity us shop.orders warn XC-5311']);
  });
});

describe('columns that every tenant drops', () => {
  const drop = links({
    acme: {
      scope: { kind: 'column', column: 'tenant_id', value: 'acme' },
      columns: { 'shop.orders': { tenant_id: 'allow', id: 'allow', note: { action: 'drop' } } },
    },
  });

  it('cannot be kept on the server by a column list beside FULL', () => {
    const full = orders({ identity: 'full', identityColumns: ['tenant_id', 'id', 'note'] });
    expect(found({ source: [full], links: drop })).toEqual(['replica-identity us shop.orders warn XC-5329']);
    expect(found({ links: drop })).toEqual([]);
  });
});

describe('source against target', () => {
  it('blocks a missing table and nothing else of it', () => {
    expect(found({ target: [] })).toEqual(['target-table eu shop.orders block XC-5313']);
    expect(remedies({ target: [] })).toEqual([
      [
        'CREATE SCHEMA IF NOT EXISTS "shop";',
        'CREATE TABLE IF NOT EXISTS "shop"."orders" (',
        '  "tenant_id" text NOT NULL,',
        '  "id" bigint NOT NULL,',
        '  "note" text,',
        '  PRIMARY KEY ("tenant_id", "id")',
        ');',
      ].join('\n'),
    ]);
  });

  it('names a missing column, but not one that every tenant drops or that is generated', () => {
    const source = [withColumns(column('extra', 'text'))];
    expect(found({ source, target: [orders()] })).toEqual(['columns eu shop.orders.extra block XC-5314']);
    expect(remedies({ source, target: [orders()] })).toEqual([
      'ALTER TABLE "shop"."orders" ADD COLUMN "extra" text;',
    ]);
    const drop = links({
      acme: {
        scope: { kind: 'column', column: 'tenant_id', value: 'acme' },
        columns: {
          'shop.orders': { tenant_id: 'allow', id: 'allow', note: 'allow', extra: { action: 'drop' } },
        },
      },
    });
    expect(found({ source, target: [orders()], links: drop })).toEqual([]);
    const generated = [withColumns(column('extra', 'text', { generated: 'stored', default: 'upper(note)' }))];
    expect(found({ source: generated, target: [orders()] })).toEqual([]);
  });

  it('blocks another type and only warns of a wider one', () => {
    const source = [withColumns(column('n', 'integer'))];
    expect(found({ source, target: [withColumns(column('n', 'text'))] })).toEqual([
      'columns eu shop.orders.n block XC-5315',
    ]);
    expect(found({ source, target: [withColumns(column('n', 'bigint'))] })).toEqual([
      'columns eu shop.orders.n warn XC-5315',
    ]);
    expect(found({ source: [withColumns(column('n', 'bigint'))], target: source })).toEqual([
      'columns eu shop.orders.n block XC-5315',
    ]);
  });

  it('blocks an enum that lacks a label, not one that has more', () => {
    const source = [withColumns(column('m', 'shop.mood'))];
    const finding = check({ source, sourceTypes: [moodOf('sad', 'ok')], targetTypes: [moodOf('ok')] });
    expect(finding.map(({ seen, severity }) => [seen, severity])).toEqual([
      ["enum shop.mood lacks 'sad' on the target", 'block'],
    ]);
    expect(finding[0]?.remedy).toBe(`ALTER TYPE "shop"."mood" ADD VALUE IF NOT EXISTS 'sad' BEFORE 'ok';`);
    expect(found({ source, sourceTypes: [moodOf('ok')], targetTypes: [moodOf('ok', 'sad')] })).toEqual([]);
  });

  it('says how the type itself is put right where it stands inside of the column’s', () => {
    const source = [withColumns(column('m', 'shop.few[]', { typeOid: 90_001 }))];
    const many = type(90_001, 'shop', 'few[]', { kind: 'b', elementOid: 90_002 });
    const [finding] = check({
      source,
      sourceTypes: [many, few({})],
      targetTypes: [many, few({ 'few check': 'CHECK (VALUE < 9)', set: 'NOT NULL' })],
    });
    expect(finding?.seen).toBe('domain shop.few refuses values on the target that the source allows');
    expect(finding?.remedy).toBe(
      'ALTER DOMAIN "shop"."few" DROP CONSTRAINT "few check"; ALTER DOMAIN "shop"."few" DROP NOT NULL;',
    );
  });

  it('blocks extra columns that need a value, and NOT NULL that the source does not promise', () => {
    const required = [withColumns(column('extra', 'text', { notNull: true }))];
    expect(found({ target: required })).toEqual(['columns eu shop.orders.extra block XC-5316']);
    expect(
      found({ target: [withColumns(column('extra', 'text', { notNull: true, default: "''" }))] }),
    ).toEqual(['columns eu shop.orders.extra info XC-5316']);
    const strict = orders({
      columns: [...orders().columns.slice(0, 2), column('note', 'text', { notNull: true })],
    });
    expect(found({ target: [strict] })).toEqual(['columns eu shop.orders.note block XC-5316']);
  });

  it('takes columns in any order', () => {
    expect(found({ target: [orders({ columns: orders().columns.toReversed() })] })).toEqual([]);
  });

  it('names generated columns that only one side generates', () => {
    const generated = column('g', 'text', { generated: 'stored', default: 'upper(note)' });
    const plain = column('g', 'text');
    expect(found({ source: [withColumns(plain)], target: [withColumns(generated)] })).toEqual([
      'columns eu shop.orders.g block XC-5317',
    ]);
    expect(found({ source: [withColumns(generated)], target: [withColumns(plain)] })).toEqual([
      'columns eu shop.orders.g warn XC-5317',
    ]);
    expect(
      found({ source: [withColumns(generated)], target: [withColumns({ ...plain, notNull: true })] }),
    ).toEqual(['columns eu shop.orders.g block XC-5317']);
    expect(found({ source: [withColumns(generated)] })).toEqual([]);
  });

  it('blocks a table without a column that could be sent', () => {
    const bare = orders({ columns: [], indexes: [], primaryKey: [], identityColumns: [] });
    expect(
      check({ source: [bare], links: links({ all: { scope: { kind: 'schema', schema: 'shop' } } }) }),
    ).toEqual([expect.objectContaining({ check: 'replica-identity', severity: 'block', code: 'XC-5311' })]);
  });

  it('blocks a virtual column beside an identity of all columns, which cannot be published', () => {
    const virtual = withColumns(column('g', 'text', { generated: 'virtual', default: 'upper(note)' }));
    expect(found({ source: [virtual] })).toEqual([]);
    expect(found({ source: [{ ...virtual, identity: 'full' }] })).toEqual([
      'generated-columns us shop.orders block XC-5317',
    ]);
  });

  it('blocks a generated column in the key', () => {
    const source = orders({
      columns: [
        ...orders().columns.slice(1),
        column('tenant_id', 'text', { notNull: true, generated: 'stored', default: "'a'" }),
      ],
    });
    expect(found({ source: [source] })).toEqual([
      'generated-columns us shop.orders.tenant_id block XC-5317',
      'tenant-column us shop.orders block XC-5317',
    ]);
  });

  it('blocks a target without the key, and warns of one that only the target has', () => {
    expect(found({ target: [orders({ indexes: [] })] })).toEqual(['target-key eu shop.orders block XC-5325']);
    expect(
      found({ target: [orders({ indexes: [index('pk', ['tenant_id', 'id'], { immediate: false })] })] }),
    ).toEqual(['target-key eu shop.orders block XC-5325']);
    expect(
      found({ target: [orders({ indexes: [...orders().indexes, index('note_key', ['note'])] })] }),
    ).toEqual(['target-key eu shop.orders warn XC-5325']);
  });
});

describe('what is not carried, and what happens beside', () => {
  it('warns of unlogged sources and blocks unlogged targets', () => {
    expect(found({ source: [orders({ persistence: 'unlogged' })], target: [orders()] })).toEqual([
      'tables-in-scope us shop:acme:us:eu block XC-5322',
      'persistence us shop.orders warn XC-5322',
    ]);
    expect(found({ target: [orders({ persistence: 'unlogged' })] })).toEqual([
      'persistence eu shop.orders block XC-5322',
    ]);
  });

  it('blocks row security on either side', () => {
    expect(found({ source: [orders({ rowSecurity: true })], target: [orders()] })).toEqual([
      'row-security us shop.orders block XC-5321',
    ]);
    expect(found({ target: [orders({ rowSecurity: true })] })).toEqual([
      'row-security eu shop.orders block XC-5321',
    ]);
  });

  it('warns of large objects', () => {
    expect(found({ source: [withColumns(column('blob', 'oid'))] })).toEqual([
      'large-objects us shop.orders.blob warn XC-5323',
    ]);
  });

  it('names partitions that the target lacks', () => {
    const source = [root('shop.o1', 'shop.o2'), leaf('o1'), leaf('o2')];
    expect(found({ source })).toEqual([]);
    expect(found({ source, target: [root('shop.o1'), leaf('o1')] })).toEqual([
      'partitions eu shop.orders warn XC-5318',
    ]);
    expect(found({ source, target: [root()] })).toEqual(['partitions eu shop.orders block XC-5318']);
    expect(found({ source, target: [orders()] })).toEqual([]);
    expect(found({ source: [root('shop.o1', 'shop.far'), leaf('o1')] })).toEqual([
      'partitions us shop.orders block XC-5318',
    ]);
  });

  it('blocks a rule that names a partition without its root', () => {
    const source = [orders({ name: 'o1', isPartition: true })];
    expect(found({ source, links: links(undefined, { tables: ['shop.o1'] }) })).toEqual([
      'tables-in-scope us shop.o1 block XC-5318',
    ]);
  });

  it('warns of triggers that fire for replicated rows only', () => {
    expect(found({ target: trigger('A') })).toEqual(['triggers eu shop.orders warn XC-5319']);
    expect(found({ target: trigger('R') })).toEqual(['triggers eu shop.orders warn XC-5319']);
    expect(found({ target: trigger('O') })).toEqual([]);
  });

  it('warns of foreign keys that lead out of scope', () => {
    const source = [orders({ foreignKeys: [{ name: 'fk', references: 'shop.customers' }] })];
    expect(found({ source })).toEqual(['foreign-keys eu shop.orders warn XC-5328']);
    expect(found({ source: [...source, orders({ name: 'customers' })] })).toEqual([]);
  });

  it('warns of sequences that the target lacks', () => {
    const sequence: SequenceFacts = {
      schema: 'shop',
      name: 'orders_id_seq',
      ownedBy: { table: 'shop.orders', column: 'id' },
      lastValue: '7',
      increment: '1',
    };
    expect(found({ sourceSequences: [sequence] })).toEqual(['sequences eu shop.orders_id_seq warn XC-5327']);
  });
});

describe('what looks like a table', () => {
  const source: Catalogue = {
    ...catalogue([orders()]),
    rowless: [
      { schema: 'shop', name: 'totals', kind: 'materialized view' },
      { schema: 'shop', name: 'open_orders', kind: 'view' },
      { schema: 'shop', name: 'remote', kind: 'foreign table' },
      { schema: 'other', name: 'v', kind: 'view' },
    ],
  };
  const rowlessOf = (tables: string[]) =>
    checkTables({ links: links(undefined, { tables }), source, target: catalogue([orders()]) })
      .filter(({ code }) => code === 'XC-5344')
      .map(({ subject, severity }) => `${subject} ${severity}`);

  it('is told of where a pattern takes it in and rows may be missed, and warned of where it is named', () => {
    expect(rowlessOf(['shop.*'])).toEqual(['shop.remote info', 'shop.totals info']);
    expect(rowlessOf(['shop.*', 'shop.open_orders', 'shop.totals', '!shop.remote'])).toEqual([
      'shop.open_orders warn',
      'shop.totals warn',
    ]);
  });
});

describe('a map', () => {
  it('is followed to the target, whose statements name what is there', () => {
    const mapped = links(undefined, {
      map: { tables: { 'shop.orders': 'eu.bestellungen' }, case: 'preserve' },
    });
    const missing = checkTables({ links: mapped, source: catalogue([orders()]), target: catalogue([]) });
    expect(missing.find(({ check: name }) => name === 'target-table')?.seen).toContain('eu.bestellungen');
  });
});

describe('column rules', () => {
  const all = { tenant_id: 'allow', id: 'allow', note: 'allow' } as const;

  it('passes a table whose columns all have a rule', () => {
    expect(found({ links: ruled(all) })).toEqual([]);
    expect(found({ links: ruled({ ...all, note: { action: 'hash', key: 'k1' } }) })).toEqual([]);
  });

  it('blocks a column without a rule', () => {
    expect(found({ links: ruled({ tenant_id: 'allow', id: 'allow' }) })).toEqual([
      'column-policy us shop.orders.note block XC-2001',
    ]);
  });

  it('blocks a masked or dropped key', () => {
    expect(found({ links: ruled({ ...all, id: { action: 'drop' } }) })).toContain(
      'column-policy us shop.orders.id block XC-2003',
    );
    expect(found({ links: ruled({ ...all, id: { action: 'mask' } }) })).toContain(
      'column-policy us shop.orders.id block XC-2003',
    );
  });

  it('warns of a rule for a column that is not there', () => {
    expect(found({ links: ruled({ ...all, note2: 'allow' }) })).toEqual([
      'column-policy us shop.orders.note2 warn XC-5331',
    ]);
  });

  it('blocks redaction in an active-active rule', () => {
    const both = ruled({ ...all, note: { action: 'mask' } }, 'active-active').filter(
      (link) => link.source === 'us',
    );
    expect(found({ links: both })).toEqual(['column-policy us shop:acme:us:eu block XC-5332']);
  });

  it('makes no finding that cannot be acted on', () => {
    const blocking = check({ source: [orders({ rowSecurity: true })], target: [] }).filter(isBlocking);
    expect(blocking.every((finding) => finding.remedy !== undefined && finding.code !== undefined)).toBe(
      true,
    );
  });
});
