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
  const line = (event: AuditEvent): Buffer =>
    entryBytes({
      schemaVersion: 1,
      at: isoTime(clock.nowMs()),
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
    append: (events) => onDisk(options.path, () => sequencer.append(events.map(line))),
    publish: () => onDisk(options.path, () => sequencer.publish()),
    [Symbol.asyncDispose]: () => sequencer[Symbol.asyncDispose](),
  };
};

/** @throws XcError XC-6002 where the disk or its permissions are in the way */
const onDisk = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (!isErrno(error)) throw error;
    throw new XcError('XC-6002', { subject: path, why: error.message, cause: error });
  }
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
