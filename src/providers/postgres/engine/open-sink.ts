/** The target's half of a streaming session: tables as the applier uses them, a session under its origin, and the sink. */

import type { Client } from 'pg';
import type { Batch, Variant } from '../../../core/change/batch.ts';
import type { Catalogue } from '../../../core/topology/table.ts';
import { PostgresSink } from '../target/sink.ts';
import { makeTargetTable, type TargetTable } from '../target/target-table.ts';
import type { EngineOptions } from './options.ts';
import { setUpOrigin } from './origin.ts';
import { readRowTypes } from './row-types.ts';
import type { Sessions } from './sessions.ts';

export interface SinkParts {
  readonly options: EngineOptions;
  readonly sessions: Sessions;
  /** For the catalogue. */
  readonly client: Client;
  readonly target: Catalogue;
  readonly slot: string;
  readonly epoch: number;
  readonly binary: boolean;
  reread(batch: Batch, index: number): Promise<readonly (Uint8Array | null)[] | null>;
}

/** @param held takes the session over */
export const openSink = async (parts: SinkParts, held: AsyncDisposableStack): Promise<PostgresSink> => {
  const { options, sessions, target, slot, binary } = parts;
  const rowTypes = await readRowTypes(
    parts.client,
    [...target.tables.values()].map((table) => table.oid),
  );
  const tables = new Map<Variant, TargetTable>();
  const tableOf = (variant: Variant): TargetTable => {
    let table = tables.get(variant);
    if (!table) {
      const facts = target.tables.get(variant.table)!;
      table = makeTargetTable(facts, target.types, rowTypes.get(facts.oid)!, variant, !binary);
      tables.set(variant, table);
    }
    return table;
  };
  const formats = new Map<Variant, (0 | 1)[]>();
  const formatsOf = (variant: Variant): (0 | 1)[] => {
    let list = formats.get(variant);
    if (!list) formats.set(variant, (list = variant.plan.columns.map(() => (binary ? 1 : 0))));
    return list;
  };
  const applier = held.use(await sessions.wire('target', 'applier', { search_path: keySchemas(target) }));
  const origin = await setUpOrigin(applier, slot);
  return new PostgresSink(applier, {
    slot,
    runner: options.run,
    epoch: parts.epoch,
    origin,
    clock: options.clock,
    tableOf,
    formatsOf,
    reread: (batch, index) => parts.reread(batch, index),
  });
};

/** Schemas of types whose operators are not in pg_catalog (citext, for instance): keys are compared with them. */
export const keySchemas = (catalogue: Catalogue): string =>
  [
    'pg_catalog',
    ...new Set(
      [...catalogue.types.values()].map((type) => type.schema).filter((schema) => schema !== 'pg_catalog'),
    ),
  ]
    .map((schema) => `"${schema.replaceAll('"', '""')}"`)
    .join(',');
