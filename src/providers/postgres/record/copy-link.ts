/**
 * The rows that were there when a recording began, read under the snapshot of its slot: they go into the log as
 * transactions like any others. Their positions are made up, 0/1, 0/2 and so on, which a server's log is long past, so
 * that a replay can be cut short between any two of them.
 */

import { to as copyTo } from 'pg-copy-streams';
import { Batch, INSERT, type Route } from '../../../core/change/batch.ts';
import { splitTextRow } from '../../../core/change/copy-text.ts';
import { lsnOf, ZERO_LSN } from '../../../core/change/lsn.ts';
import { writeTuple } from '../../../core/change/tuple-plan.ts';
import type { LogSinkPorts } from '../../../core/changelog/log-sink.ts';
import { tableDraft } from '../../../core/changelog/logged-table.ts';
import { TransactionMarks } from '../../../core/changelog/transaction-marks.ts';
import { copyPlan } from '../../../core/replication/column-actions.ts';
import type { ChangeSink } from '../../../core/replication/ports.ts';
import type { Clock } from '../../../core/time/clock.ts';
import type { Link } from '../../../core/topology/link.ts';
import { tableName, type Catalogue, type TableFacts } from '../../../core/topology/table.ts';
import { disconnect } from '../connect.ts';
import { copyPredicate } from '../engine/copy-groups.ts';
import type { Sessions } from '../engine/sessions.ts';
import type { HeldSnapshot } from '../engine/snapshots.ts';
import { ident, literal, rowsOf } from '../quote.ts';

/** Of one made-up transaction. */
const ROWS = 5_000;
const BYTES = 4 * 2 ** 20;

export interface CopyPorts {
  readonly link: Link;
  readonly hashKeys: ReadonlyMap<string, Uint8Array>;
  readonly sessions: Sessions;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
}

/** @returns rows copied */
export const copyLink = async (
  tables: readonly TableFacts[],
  snapshot: HeldSnapshot,
  ports: CopyPorts,
  open: (ports: LogSinkPorts) => ChangeSink,
  signal: AbortSignal,
): Promise<number> => {
  const client = await ports.sessions.source('reader');
  const writer = new CopyWriter(ports, open);
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query(`SET TRANSACTION SNAPSHOT ${literal(snapshot.name)}`);
    for (const facts of tables) {
      const { sql, row } = writer.table(facts);
      for await (const line of linesOf(client.query(copyTo(sql)))) {
        signal.throwIfAborted();
        if (row(line)) await writer.flush();
      }
      await writer.flush();
    }
    return writer.rows;
  } finally {
    await disconnect(client);
  }
};

class CopyWriter {
  rows = 0;
  readonly #ports: CopyPorts;
  readonly #marks = new TransactionMarks();
  readonly #sink: ChangeSink;
  readonly #batch = new Batch();
  #draft: ReturnType<typeof tableDraft> | null = null;
  #transactions = 0n;

  constructor(ports: CopyPorts, open: (ports: LogSinkPorts) => ChangeSink) {
    this.#ports = ports;
    this.#sink = open({
      marks: this.#marks,
      tableOf: () => this.#draft!,
      reread: () => Promise.resolve(null),
    });
  }

  /** @returns what reads the table, and what takes one of its rows; true where it is time to flush */
  table(facts: TableFacts): { readonly sql: string; readonly row: (line: Buffer) => boolean } {
    const { link, catalogue, hashKeys } = this.#ports;
    const { plan } = copyPlan(link, facts, { source: catalogue, hashKeys });
    const columns = facts.columns.filter((column) => column.generated === 'none');
    this.#draft = tableDraft(facts, columns, plan, catalogue.types);
    const route: Route = {
      link: link.id,
      tenant: link.tenant,
      variant: { table: tableName(facts), plan, relation: facts.oid },
      scope: null,
      from: ZERO_LSN,
      seen: null,
      unseen: null,
    };
    const where = copyPredicate([link], null, { lower: null, upper: null }, null);
    const names = plan.fields.map(({ name }) => ident(name)).join(', ');
    return {
      sql: `COPY (SELECT ${names} FROM ${rowsOf(facts)} WHERE ${where}) TO STDOUT (FORMAT text)`,
      row: (line) => {
        const batch = this.#batch;
        const start = batch.arena.length;
        writeTuple(batch.arena, plan, 'row', rowBytes(line), 0);
        batch.add(INSERT, route, 0, start, batch.arena.length, start, start);
        this.rows++;
        return batch.size >= ROWS || batch.arena.length >= BYTES;
      },
    };
  }

  async flush(): Promise<void> {
    const batch = this.#batch;
    if (batch.size === 0) return;
    const begun = this.#transactions++;
    const endLsn = lsnOf(this.#transactions);
    const unixMicros = BigInt(Math.round(this.#ports.clock.nowMs())) * 1_000n;
    this.#marks.add(batch, { kind: 'begin', at: 0, commitLsn: lsnOf(begun), xid: 0 });
    this.#marks.add(batch, { kind: 'commit', at: batch.size, endLsn, unixMicros });
    batch.position = endLsn;
    await this.#sink.apply(batch);
    batch.reset();
  }
}

/** Lines of COPY in text format; a newline inside a value is written as \n. */
const linesOf = async function* (stream: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const part of stream) {
    const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    let at = 0;
    for (let end = bytes.indexOf(0x0a, at); end >= 0; end = bytes.indexOf(0x0a, at)) {
      const line = bytes.subarray(at, end);
      yield rest.length === 0 ? line : Buffer.concat([...rest, line]);
      rest = [];
      at = end + 1;
    }
    if (at < bytes.length) rest.push(bytes.subarray(at));
  }
};

/** A line's fields as a row of int16 count, and int32 length and bytes of each. */
const rowBytes = (line: Buffer): Buffer => {
  const fields = splitTextRow(line, 0, line.length);
  const count = Buffer.allocUnsafe(2);
  count.writeInt16BE(fields.length);
  const parts: Buffer[] = [count];
  for (const field of fields) {
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(field === null ? -1 : field.length);
    parts.push(length);
    if (field !== null) parts.push(field);
  }
  return Buffer.concat(parts);
};
