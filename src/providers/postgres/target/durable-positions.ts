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

/** What the target, and every physical standby that streams from it, has on disk. */
const FLUSHED =
  'SELECT pg_current_wal_flush_lsn(), (SELECT min(r.flush_lsn) FROM pg_stat_replication r' +
  " WHERE NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical'))";
