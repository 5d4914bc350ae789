/**
 * A logical message now and then, so that a stream whose links have nothing to carry moves on past what others write, and
 * its slot lets go of their log. Written only where the source's log moved and the stream did not: a source that is idle
 * stays idle. A role that may not, and a standby, go without: keepalives carry the position as well, though later.
 */

import type { Client } from 'pg';
import { parseLsn, type Lsn } from '../../../core/change/lsn.ts';
import { codeOf } from '../pg-error.ts';

/** Less than this is not worth a message: other streams' own checkpoints make that much. */
const MOVED_BYTES = 64n * 1024n;

/** insufficient_privilege, read_only_sql_transaction, object_not_in_prerequisite_state: a standby's answers, too. */
const NOT_HERE = new Set(['42501', '25006', '55000']);

export class Heartbeat {
  readonly #note: (text: string) => void;
  #seen: Lsn | null = null;
  #refused = false;

  constructor(note: (text: string) => void) {
    this.#note = note;
  }

  /**
   * @param position up to where the stream has come
   * @returns whether a message was written
   */
  async beat(source: Client, position: Lsn): Promise<boolean> {
    const stood = this.#seen === position;
    this.#seen = position;
    if (!stood || this.#refused) return false;
    try {
      const { rows } = await source.query<{ written: string }>(
        'SELECT pg_current_wal_insert_lsn() AS written',
      );
      if (parseLsn(rows[0]?.written ?? '') - position < MOVED_BYTES) return false;
      await source.query(`SELECT pg_logical_emit_message(true, 'xcrepl', 'heartbeat')`);
      return true;
    } catch (error) {
      if (!NOT_HERE.has(codeOf(error))) throw error;
      this.#refused = true;
      this.#note('no heartbeat: the source does not take logical messages from this role, or is a standby');
      return false;
    }
  }
}
