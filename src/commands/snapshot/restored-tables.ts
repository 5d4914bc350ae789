/** Whether what was restored is what the snapshot holds: counts and checksums, read where the rows are now. */

import { XcError } from '../../core/errors/xc-error.ts';
import { sameTypes } from '../../core/snapshot/restore-scope.ts';
import { RowsDigest } from '../../core/snapshot/rows-digest.ts';
import { sideBySide } from '../../core/snapshot/send-parts.ts';
import type { RestoredPart } from '../../providers/postgres/snapshot/restore-target.ts';
import type { Host } from '../frame/host.ts';
import type { Restored } from './restore-view.ts';
import type { Loading } from './restore-parts.ts';

export const verifyTables = async (
  host: Host,
  of: Omit<Loading, 'before' | 'found'> & {
    readonly parts: readonly RestoredPart[];
    readonly isNew: boolean;
  },
): Promise<Restored['tables']> => {
  const { options, target, tables, places, link, parts, isNew } = of;
  return await sideBySide(tables, options.transfers, host.signal, async ({ of: table, place }) => {
    const facts = places.get(table.table)!;
    const brought = new RowsDigest();
    for (const part of parts) if (part.table === table.table) brought.join(part);
    const held = await target.digestOf(table, facts, link);
    const counted = held.rows === brought.rows && brought.rows === table.rows;
    const equal = String(held) === String(brought);
    const row = { table: table.table, into: place, rows: held.rows };
    if (counted && equal)
      return { ...row, verdict: 'pass' as const, seen: 'count and checksum as in the snapshot' };
    if (counted && !sameTypes(table, facts))
      return {
        ...row,
        verdict: 'unknown' as const,
        seen: 'counted; its columns have other types, whose text cannot be compared',
      };
    // Restored at another time, and written to since.
    if (!isNew && parts.length > 0 && options.existing === 'refuse' && held.rows > brought.rows)
      throw new XcError('XC-2071', { subject: place });
    return {
      ...row,
      verdict: 'fail' as const,
      seen: `${held.rows} rows with checksum ${String(held)} instead of ${brought.rows} with ${String(brought)}`,
    };
  });
};
