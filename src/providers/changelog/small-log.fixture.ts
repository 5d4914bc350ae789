/** A small log in a directory of its own, written as a recording writes it; and what a reader makes of a log. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { INSERT, type Route, type Variant } from '../../core/change/batch.ts';
import { formatLsn, lsnOf, ZERO_LSN, type Lsn } from '../../core/change/lsn.ts';
import type { RelationMessage } from '../../core/change/pgoutput.ts';
import { makeTuplePlan } from '../../core/change/tuple-plan.ts';
import type { TableDraft } from '../../core/changelog/logged-table.ts';
import { microsText } from '../../core/changelog/time-text.ts';
import { loggedValues } from '../../core/changelog/values.ts';
import type { ChangeSource } from '../../core/replication/ports.ts';
import { FileWriter } from './file-writer.ts';
import { replayedLog } from './replayed-log.ts';

const DRAFT: TableDraft = {
  name: 'app.t',
  columns: ['id', 'v'],
  key: ['id'],
  redacted: {},
  facts: {
    oid: 1,
    schema: 'app',
    name: 't',
    kind: 'r',
    persistence: 'permanent',
    isPartition: false,
    leaves: [],
    columns: ['id', 'v'].map((name, at) => ({
      name,
      number: at + 1,
      typeOid: 25,
      typeName: 'text',
      typeModifier: -1,
      notNull: false,
      default: null,
      generated: 'none',
      identity: 'none',
      collation: null,
      correlation: null,
    })),
    indexes: [],
    identity: 'default',
    identityColumns: ['id'],
    primaryKey: ['id'],
    triggers: [],
    foreignKeys: [],
    rowSecurity: false,
    estimatedRows: 0,
    bytes: 0,
  },
  types: [],
};

export interface SmallLog extends AsyncDisposable {
  readonly path: string;
  readonly writer: FileWriter;
  /** One transaction that inserts these rows; its position is ten times its number. */
  transaction(rows: readonly (readonly [string, string | null])[]): Promise<void>;
}

export const smallLog = async (rotateBytes: number): Promise<SmallLog> => {
  const directory = await mkdtemp(join(tmpdir(), 'xcrepl-log-'));
  const path = join(directory, 'small.log');
  const writer = await FileWriter.create(
    { path, rotateBytes },
    {
      t: 'header',
      format: 1,
      log: '0123456789',
      controlPlane: 'test',
      link: { id: 'r:t:a:b', rule: 'r', tenant: 't', scope: { kind: 'schema', schema: 'app' } },
      source: { region: 'a', database: 'd', system: '1', timeline: 1, version: 180_000 },
      start: '0/1',
      copy: false,
      position: '0/1',
      createdAt: '2026-01-01T00:00:00.000Z',
    },
  );
  writer.tableNumber(DRAFT);
  writer.ended(writer.position);
  await writer.write();
  await writer.publish();
  let number = 0n;
  return {
    path,
    writer,
    async transaction(rows) {
      const end = lsnOf(++number * 10n);
      writer.add({ t: 'begin', lsn: formatLsn(lsnOf(end - 5n)), xid: Number(number) });
      for (const row of rows) writer.add({ t: 'insert', table: writer.tableNumber(DRAFT), new: row });
      const at = microsText(1_750_000_000_000_001n);
      writer.add({ t: 'commit', lsn: formatLsn(end), at, changes: rows.length });
      writer.ended(end);
      await writer.write();
    },
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

const PLAN = makeTuplePlan(
  ['id', 'v'].map((name) => ({
    name,
    redactor: { kind: 'allow', fixedLength: -1, write: () => 0 },
  })),
  new Set(['id']),
);

export const smallRoutes = (relation: RelationMessage) => {
  const variant: Variant = {
    table: `${relation.schema}.${relation.name}`,
    plan: PLAN,
    relation: relation.oid,
  };
  const route: Route = {
    link: 'r:t:log:b',
    tenant: 't',
    variant,
    scope: null,
    from: ZERO_LSN,
    seen: null,
    unseen: null,
  };
  return { tenantField: null, byTenant: new Map([['', route]]), keyless: false, ordered: false };
};

export const openSmall = async (path: string, from: Lsn, until: Lsn | null): Promise<ChangeSource> =>
  await replayedLog(path).open(from, until, { routes: smallRoutes, table: () => undefined });

/** Rows that a reader is given, and where it ended; reads until the end or until there is nothing more now. */
export const readSmall = async (
  path: string,
  from: Lsn,
  until: Lsn | null = null,
): Promise<{ rows: unknown[]; position: Lsn }> => {
  await using source = await openSmall(path, from, until);
  const rows: unknown[] = [];
  let position = from;
  for (;;) {
    const batch = await source.next(0, new AbortController().signal);
    if (batch === null || batch === 'idle') return { rows, position };
    for (let index = 0; index < batch.size; index++)
      if (batch.operation[index] === INSERT)
        rows.push(loggedValues(batch.arena.bytes, batch.rowStart[index]! + 2, 2));
    ({ position } = batch);
    source.recycle(batch);
  }
};
