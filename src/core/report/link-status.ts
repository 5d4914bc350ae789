/** The status of one link, as every output shows it. */

import type { LinkState } from '../plan/facts.ts';
import { type RetainedWal } from '../metrics/retained-wal.ts';
import type { CopySnapshot } from '../metrics/copy-snapshot.ts';
import { rangeFacts } from '../validation/positions/refuse.ts';
import type { JoiningLook, SlotHealth, SequencesLook, TableStatus, Runner } from './look.ts';

export interface LinkStatus {
  readonly link: string;
  readonly rule: string;
  readonly tenant: string;
  readonly tier: string;
  readonly source: string;
  readonly target: string;
  readonly stream: string;
  /**
   * `never-run` when the target knows nothing of the link; `stopped` once a stopping link is off its stream;
   * `needs-repair` also where its slot can no longer give what comes after the checkpoint.
   */
  readonly state: LinkState | 'never-run' | 'stopped' | 'unknown';
  readonly why: string | null;
  /** Null where it is not known: never run, or a server that could not be asked. */
  readonly lagMs: number | null;
  readonly lagBytes: number | null;
  readonly position: string | null;
  readonly slot:
    | (SlotHealth & {
        readonly name: string;
        readonly exists: boolean;
        /** It was moved past the checkpoint by somebody else: the changes between are lost to the link. */
        readonly ahead: boolean;
      })
    | null;
  /** What the slot holds back against what it may; null where there is no slot, or it was not seen. */
  readonly retained: RetainedWal | null;
  /** What its copy holds back of the source's VACUUM; null where nothing of it is copied now. */
  readonly snapshot: CopySnapshot | null;
  /** Tables that it takes in while it streams; none of their changes is missing, only late. */
  readonly joining: readonly JoiningLook[];
  /** Of the stream: sequences that were carried along, and that could not be; null before the first time. */
  readonly sequences: SequencesLook | null;
  /** Whether the stream could start at its checkpoint, as the doctor says it; null where it was not judged. */
  readonly positions: ReturnType<typeof rangeFacts> | null;
  /** Null where nobody drains the stream now. */
  readonly runner: Runner | null;
  readonly lastSuccessAt: string | null;
  readonly verifiedAt: string | null;
  readonly verdict: 'pass' | 'fail' | 'unknown' | null;
  readonly rows: {
    readonly copied: number;
    readonly inserts: number;
    readonly updates: number;
    readonly deletes: number;
  };
  readonly bytes: number;
  readonly conflicts: number;
  /** Nothing is quarantined in this version: null, which is not 0. */
  readonly quarantined: null;
  readonly slo: {
    readonly verdict: 'met' | 'missed' | 'unknown' | 'none';
    readonly objectiveMs: number | null;
  };
  readonly tables: readonly TableStatus[];
}
