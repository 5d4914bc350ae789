/** A change log as a source, for whoever plans and runs a replay; the provider of the files implements it. */

import type { CollectorHooks } from '../change/collector.ts';
import type { Lsn } from '../change/lsn.ts';
import type { ChangeSource } from '../replication/ports.ts';
import type { Catalogue } from '../topology/table.ts';
import type { HeaderRecord, TableRecord } from './records.ts';

export interface ReplayedLog {
  /** Of the file that holds what follows the position; of the first file where that is null. @throws XcError XC-5032, XC-5033, XC-5040 */
  look(from: Lsn | null): Promise<LogLook>;
  /** Position of the last whole transaction. */
  end(): Promise<Lsn>;
  /**
   * Reads on from a position. Tables that the log describes are given to `table` before their relation is compiled.
   * @throws XcError XC-5032, XC-5033, XC-5040
   */
  open(
    from: Lsn,
    until: Lsn | null,
    hooks: CollectorHooks & { table(record: TableRecord): void },
  ): Promise<ChangeSource>;
}

export interface LogLook {
  readonly header: HeaderRecord;
  readonly genesis: string;
  /** Position at which the first file that is there begins. */
  readonly oldest: Lsn;
  readonly end: Lsn;
  /** Commit time at `end`, Unix milliseconds; null where no line says it. */
  readonly endMs: number | null;
  readonly closed: boolean;
  /** File that the last seal names and that is not there; null where all is well. */
  readonly awaited: string | null;
  /** At the beginning of the file. */
  readonly tables: readonly TableRecord[];
  readonly catalogue: Catalogue;
}
