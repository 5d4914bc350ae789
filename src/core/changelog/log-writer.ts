/** The file side of a change log, as the sink needs it. */

import type { Lsn } from '../change/lsn.ts';
import type { LogRecord } from './records.ts';
import type { TableDraft } from './logged-table.ts';

export interface LogWriter {
  /** Where the last whole piece ends. */
  readonly position: Lsn;
  /** Everything up to here is on the disk. */
  readonly synchronised: Lsn;
  /** Bytes of lines that are not in the file yet. */
  readonly pendingBytes: number;
  add(record: LogRecord): void;
  /** Number of the table as it is now; describes it first where it is new or has changed. */
  tableNumber(draft: TableDraft): number;
  /** The line that was added last ended something whole: a restart goes on behind it. */
  ended(position: Lsn): void;
  /** Writes the lines so far. Between two transactions it may begin another file. */
  write(): Promise<void>;
  /** Forgets what of a transaction was added or written without its end. */
  rewind(): Promise<void>;
  /** Brings everything written to the disk. */
  synchronise(): Promise<void>;
}
