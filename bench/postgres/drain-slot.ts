/** Reads a slot to a position through the product's stream, decoder and batches, and throws the batches away. */

import { parseLsn } from '../../src/core/change/lsn.ts';
import type { RelationMessage } from '../../src/core/change/pgoutput.ts';
import { makeTuplePlan } from '../../src/core/change/tuple-plan.ts';
import type { FieldRedactor } from '../../src/core/change/field-redactor.ts';
import type { RelationRoutes } from '../../src/core/change/relation-routes.ts';
import { tableName } from '../../src/core/topology/table.ts';
import { connect } from '../../src/providers/postgres/connect.ts';
import { ReplicationStream } from '../../src/providers/postgres/source/replication-stream.ts';
import { WireConnection } from '../../src/providers/postgres/wire/connection.ts';
import { costsOf, spent, type Costs } from './process-cost.ts';
import { systemClock } from '../../src/providers/system/clock.ts';

const ALLOW: FieldRedactor = {
  kind: 'allow',
  fixedLength: -1,
  write(source, start, end, target, at) {
    source.copy(target, at, start, end);
    return end - start;
  },
};

const routesOf = (relation: RelationMessage): RelationRoutes => {
  const fields = relation.columns.map(({ name }) => ({ name, redactor: ALLOW }));
  const keys = new Set(relation.columns.filter(({ key }) => key).map(({ name }) => name));
  const route = {
    link: 'bench',
    tenant: 'bench',
    variant: { table: tableName(relation), relation: relation.oid, plan: makeTuplePlan(fields, keys) },
    scope: null,
    from: 0n,
    seen: null,
    unseen: null,
  } as unknown as NonNullable<ReturnType<RelationRoutes['byTenant']['get']>>;
  return { tenantField: null, byTenant: new Map([['', route]]), keyless: false, ordered: false };
};

export interface Drained {
  readonly changes: number;
  readonly seconds: number;
  /** CPU seconds of the sender and of this process. */
  readonly cpu: Costs;
}

export const drainSlot = async (what: {
  readonly dsn: string;
  readonly slot: string;
  readonly publication: string;
  readonly from: string;
  readonly until: string;
}): Promise<Drained> => {
  const startedMs = performance.now();
  const client = await connect(what.dsn, { subject: 'source', replication: 'database' });
  const connection = WireConnection.take(client);
  const pid = connection.processId;
  await using stream = await ReplicationStream.open(connection, {
    slot: what.slot,
    publications: [what.publication],
    from: parseLsn(what.from),
    until: parseLsn(what.until),
    binary: true,
    clock: systemClock,
    hooks: { routes: routesOf },
  });
  const processes = { walsender: [pid], runner: [process.pid] };
  const before = await costsOf({ runner: [process.pid] });
  let changes = 0;
  for (;;) {
    const batch = await stream.next(1_000, new AbortController().signal);
    if (batch === null) break;
    if (batch === 'idle') continue;
    changes += batch.size;
    stream.recycle(batch);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  return { changes, seconds, cpu: spent(before, await costsOf(processes)) };
};
