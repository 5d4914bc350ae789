/** Reads entries, as they are: whether they are what was written is what `audit verify` says. */

import { parseEntry, type AuditEntry } from '../../core/audit/entry.ts';
import { readLog } from '../../providers/audit-files/open-log.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { findLog } from './open.ts';

export interface ListOptions {
  readonly last: number;
  readonly tenant?: string | undefined;
  readonly action?: string | undefined;
  readonly run?: string | undefined;
}

export const listEntries = async (host: Host, options: ListOptions): Promise<Outcome> => {
  const known = await findLog(host);
  const entries: (AuditEntry & { readonly number: number })[] = [];
  if (known)
    for await (const { number, bytes } of readLog(known.path).entries()) {
      const entry = parseEntry(bytes);
      if (!entry || !wanted(entry, options)) continue;
      entries.push({ number, ...entry });
      if (entries.length > options.last) entries.shift();
    }
  return {
    document: { schemaVersion: 1, log: known?.origin ?? null, entries },
    records: entries,
    table: (paint) =>
      paint.table(
        ['entry', 'at', 'actor', 'action', 'subject'],
        entries.map(({ number, at, actor, action, subject }) => [String(number), at, actor, action, subject]),
      ),
  };
};

const wanted = (entry: AuditEntry, { tenant, action, run }: ListOptions): boolean =>
  (tenant === undefined || entry.tenant === tenant) &&
  (action === undefined || entry.action === action) &&
  (run === undefined || entry.run === run);
