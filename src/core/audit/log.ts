/** The log as commands see it, and what it needs: files, a lock, a key. */

import type { Checkpoint } from './checkpoint.ts';
import type { AuditEntry } from './entry.ts';
import type { NoteSigner, NoteVerifier } from './note.ts';

/** A long run and a long queue are anchored after so many entries, and not only at their end. */
export const ANCHOR_ENTRIES = 256;

/** What an action says of itself; the log adds time, control plane and actor. */
export type AuditEvent = Pick<AuditEntry, 'action' | 'subject'> &
  Partial<Pick<AuditEntry, 'at' | 'tenant' | 'before' | 'after' | 'plan' | 'run' | 'facts' | 'outbox'>>;

export interface AuditLog extends AsyncDisposable {
  /** Durable when it resolves. @returns numbers of the entries, in the order given */
  append(events: readonly AuditEvent[]): Promise<number[]>;
  /** Writes the tiles and signs the checkpoint of all entries so far; returns the note. */
  publish(): Promise<{ readonly checkpoint: Checkpoint; readonly note: string }>;
}

export interface LogKeys {
  readonly signer: NoteSigner;
  /** The signer's own and those of earlier keys. */
  readonly verifiers: readonly NoteVerifier[];
}

/** An exclusive lock that dies with its process. */
export interface LogLock {
  /** @throws XcError XC-7002 at once where another process holds it */
  take(): Promise<AsyncDisposable>;
}
