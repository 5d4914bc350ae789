/** What a restore is asked for and what it did, as people and programs read it. */

import { EXIT } from '../../core/errors/exit.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import type { TableName } from '../../core/topology/table.ts';
import type { Outcome } from '../frame/host.ts';
import { countText, durationText } from '../replication/quantities.ts';
import type { Where } from './find-snapshots.ts';
import type { TrustOptions } from './signature.ts';

export interface RestoreOptions extends Where, TrustOptions {
  readonly to: string;
  readonly tables?: readonly string[] | undefined;
  readonly as?: string | undefined;
  readonly existing: 'refuse' | 'replace';
  readonly confirm?: string | undefined;
  readonly transfers: number;
}

export interface Restored {
  readonly loaded: number;
  readonly found: number;
  readonly rows: number;
  readonly tables: readonly {
    readonly table: TableName;
    readonly into: TableName;
    readonly rows: number;
    readonly verdict: 'pass' | 'fail' | 'unknown';
    readonly seen: string;
  }[];
  readonly sequences: number;
}

export const outcome = (
  { id, lsn, source }: Manifest,
  { to }: RestoreOptions,
  restored: Restored,
  keyId: string | null,
  durationMs: number,
): Outcome => {
  const failed = restored.tables.filter(({ verdict }) => verdict === 'fail');
  const changed = restored.loaded > 0;
  return {
    document: { schemaVersion: 1, id, to, changed, keyId, lsn, durationMs, ...restored },
    exit: failed.length > 0 ? EXIT.findings : EXIT.done,
    table: (paint) =>
      [
        `${failed.length > 0 ? paint.bad('differs') : changed ? paint.good('restored') : 'no change'}: ${countText(restored.rows)} rows of ${restored.tables.length} tables from snapshot ${id} in ${to}, ${durationText(durationMs)}`,
        paint.table(
          ['table', 'into', 'rows', 'verdict', 'seen'],
          restored.tables.map((row) => [
            row.table,
            row.into,
            countText(row.rows),
            row.verdict,
            row.verdict === 'fail' ? `XC-5415 ${row.seen}` : row.seen,
          ]),
        ),
        `as of log position ${lsn} of ${source.region}`,
      ].join('\n'),
  };
};
