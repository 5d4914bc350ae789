/**
 * What ends a command that changed something: entries that were written with rows are brought into the log, its
 * checkpoint is signed, and anchored in every region's databases and object stores. What cannot be reached now is done by the next command.
 */

import type { AuditEntry } from '../../core/audit/entry.ts';
import { parseEntry } from '../../core/audit/entry.ts';
import { ANCHOR_ENTRIES, type AuditEvent, type AuditLog } from '../../core/audit/log.ts';
import { isXcError, type XcError } from '../../core/errors/xc-error.ts';
import { readLog } from '../../providers/audit-files/open-log.ts';
import { claimOutbox, holdsAudit, settleOutbox, type OutboxRow } from '../../providers/postgres/audit.ts';
import type { Host } from '../frame/host.ts';
import { onDatabase, type RegionDatabase } from '../region-databases.ts';
import { anchorPlaces, databasePlaces, nameOf } from './anchor-places.ts';
import type { KnownLog } from './open.ts';

type OpenedLog = KnownLog & { readonly log: AuditLog };

export const settle = async (host: Host, known: OpenedLog): Promise<void> => {
  const left = (place: string, { message }: XcError): void =>
    host.narrator.warn(`the audit log is not anchored in ${place}: ${message}`);
  // Told to stop: what needs a server is left to the next command.
  const stopped = host.signal.aborted;
  const databases = stopped
    ? []
    : await databasePlaces(host, (region, error) => left(`region ${region}`, error));
  const places = stopped ? [] : await anchorPlaces(host, databases);
  const anchor = async (): Promise<void> => {
    const { checkpoint, note } = await known.log.publish();
    const anchored = { origin: known.origin, size: checkpoint.size, note };
    await Promise.all(places.map((place) => reached(place.name, left, () => place.put(anchored))));
  };
  for (const place of databases) await reached(nameOf(place), left, () => drain(host, place, known, anchor));
  await anchor();
};

/** A place that does not answer keeps nobody from working: the next command anchors what this one could not. */
const reached = async (
  place: string,
  left: (place: string, error: XcError) => void,
  work: () => Promise<void>,
): Promise<void> => {
  try {
    await work();
  } catch (error) {
    if (!isXcError(error)) throw error;
    left(place, error);
  }
};

const drain = async (
  host: Host,
  place: RegionDatabase,
  { origin, path, log }: OpenedLog,
  anchor: () => Promise<void>,
): Promise<void> =>
  await onDatabase(host, place, async (client) => {
    if (!(await holdsAudit(client))) return;
    for (;;) {
      const rows = await claimOutbox(client, origin, ANCHOR_ENTRIES);
      if (rows === null || rows.length === 0) return;
      const database = `${place.region}/${place.database}`;
      const known = rows.some((row) => row.leftover) ? await appended(path, database) : new Set<string>();
      const fresh = rows.filter((row) => !known.has(row.id));
      if (fresh.length > 0) await log.append(fresh.map((row) => eventOf(row, database)));
      await settleOutbox(
        client,
        rows.map((row) => row.id),
      );
      // Fewer are the last ones, which the settling itself anchors.
      if (rows.length >= ANCHOR_ENTRIES) await anchor();
    }
  });

/** Rows of the database that a draining appended before it was killed. */
const appended = async (path: string, database: string): Promise<ReadonlySet<string>> => {
  const ids = new Set<string>();
  for await (const { bytes } of readLog(path).entries()) {
    const outbox = parseEntry(bytes)?.outbox;
    if (outbox?.database === database) ids.add(outbox.id);
  }
  return ids;
};

const eventOf = (row: OutboxRow, database: string): AuditEvent => ({
  at: row.at,
  action: row.action,
  subject: row.subject,
  run: row.run,
  tenant: tenantOf(row.subject),
  facts: plainFacts({ ...row.facts, ...(row.stream === null ? {} : { stream: row.stream }) }),
  outbox: { database, id: row.id },
});

/** Links are rule:tenant:source:target. */
const tenantOf = (subject: string): string | null => {
  const parts = subject.split(':');
  return parts.length === 4 ? parts[1]! : null;
};

const plainFacts = (facts: Readonly<Record<string, unknown>>): AuditEntry['facts'] =>
  Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [
      name,
      value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
        ? value
        : JSON.stringify(value),
    ]),
  );
