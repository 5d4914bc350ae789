/**
 * Which committed positions no crash of the target can take back: past the flushed log of the target and of its physical
 * standbys (CORRECTNESS 18). The applier commits without waiting for the disk, and asks now and then.
 */

import { maxLsn, minLsn, parseLsn, ZERO_LSN, type Lsn } from '../../../core/change/lsn.ts';
import type { WireConnection } from '../wire/connection.ts';
import { simpleQuery } from '../wire/exchange.ts';

export class DurablePositions {
  readonly #connection: WireConnection;
  /** Committed and not yet known to be durable: source position and the target's insert position after it. */
  readonly #waiting: { readonly position: Lsn; readonly written: Lsn }[] = [];
  /** Of the source, as far as is known. */
  position: Lsn = ZERO_LSN;

  constructor(connection: WireConnection) {
    this.#connection = connection;
  }

  get awaited(): boolean {
    return this.#waiting.length > 0;
  }

  committed(position: Lsn, written: Lsn): void {
    this.#waiting.push({ position, written });
  }

  async ask(): Promise<Lsn> {
    if (!this.awaited) return this.position;
    const { rows } = await simpleQuery(this.#connection, FLUSHED);
    const flushed = (rows[0] ?? [])
      .filter((value) => value !== null)
      .map(parseLsn)
      .reduce(minLsn);
    while (this.#waiting[0] && this.#waiting[0].written <= flushed)
      this.position = maxLsn(this.position, this.#waiting.shift()!.position);
    return this.position;
  }
}

/**
 * What the target, and every physical standby, has on disk. One that is away just now is known by its slot, whose
 * restart_lsn is what it last said to have flushed: it can be the one that is promoted.
 */
const FLUSHED =
  'SELECT pg_current_wal_flush_lsn(), (SELECT min(r.flush_lsn) FROM pg_stat_replication r' +
  " WHERE NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical'))," +
  " (SELECT min(restart_lsn) FROM pg_replication_slots WHERE slot_type = 'physical' AND NOT temporary)";
