/** The audit log of one control plane in a directory. */

import type { AuditEvent, AuditLog, LogKeys, LogLock } from '../../core/audit/log.ts';
import { entryBytes } from '../../core/audit/entry.ts';
import type { LogParts } from '../../core/audit/verify.ts';
import { isErrno } from '../../core/errors/errno.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { isoTime, type Clock } from '../../core/time/clock.ts';
import type { EntryLine } from './entry-files.ts';
import { LogDirectory } from './log-directory.ts';
import { Sequencer } from './sequencer.ts';

export interface LogOptions {
  readonly path: string;
  readonly controlPlane: string;
  /** Name of the log, which every checkpoint carries. */
  readonly origin: string;
  /** Who acts, where an event does not say otherwise: "user@host". */
  readonly actor: string;
  readonly keys: LogKeys;
  readonly clock: Clock;
  lock(path: string): LogLock;
}

export const openAuditLog = (options: LogOptions): AuditLog => {
  const directory = new LogDirectory(options.path);
  const { controlPlane, actor, keys, clock } = options;
  const sequencer = new Sequencer(directory, options.origin, keys, options.lock(directory.lockPath));
  const told = onDisk(options.path);
  const now = timeText(clock);
  const line = (event: AuditEvent): Buffer =>
    entryBytes({
      schemaVersion: 1,
      at: now(),
      controlPlane,
      tenant: null,
      actor,
      before: null,
      after: null,
      plan: null,
      run: null,
      facts: {},
      outbox: null,
      ...event,
    });
  return {
    append: async (events) => await sequencer.append(events.map(line)).catch(told),
    publish: () => sequencer.publish().catch(told),
    [Symbol.asyncDispose]: () => sequencer[Symbol.asyncDispose](),
  };
};

/** The time as text, made once a millisecond. */
const timeText = (clock: Clock): (() => string) => {
  let [ms, text] = [NaN, ''];
  return () => {
    const now = clock.nowMs();
    if (now !== ms) [ms, text] = [now, isoTime(now)];
    return text;
  };
};

/** @throws XcError XC-6002 where the disk or its permissions are in the way */
const onDisk =
  (path: string) =>
  (error: unknown): never => {
    if (!isErrno(error)) throw error;
    throw new XcError('XC-6002', { subject: path, why: error.message, cause: error });
  };

export interface ReadLog extends LogParts {
  /** @param from number of the first one wanted; 0 where absent */
  entries(from?: number): AsyncIterable<EntryLine>;
}

/** What verification and proofs read. Takes no lock: entries that come meanwhile are not looked at. */
export const readLog = (path: string): ReadLog => {
  const directory = new LogDirectory(path);
  return {
    entries: (from: number = 0) => directory.entries().read(from),
    readTile: (tile) => directory.readTile(tile),
    readBundle: (index, width) => directory.readBundle(index, width),
    readCheckpoint: () => directory.readCheckpoint(),
  };
};
