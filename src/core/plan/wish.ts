/** What a plan is asked for. */

import type { LinkId } from '../topology/link.ts';
import type { Finding, Sha256 } from './plan.ts';
import type { PolicyContext } from './policy-context.ts';

/** What was asked for, on top of the rules that the facts carry. */
export interface PlanWish {
  /** Links that this run may begin to copy; links that already run go on, whatever is selected. */
  readonly selected: ReadonlySet<LinkId>;
  /** --tables: only these are copied now. */
  readonly tables?: readonly string[];
  readonly window?: { readonly from: string | null; readonly to: string | null };
  /** Bytes of a table that one chunk of its copy aims at; CHUNK_BYTES where absent. */
  readonly chunkBytes?: number;
  /** Mends streams and links whose slots lost changes, instead of refusing them; begins no other copy. */
  readonly repair?: boolean;
  /** Links whose rule was made dedicated, or is so no more, change their stream. */
  readonly move?: boolean;
  /** --existing replace. */
  readonly existing?: 'replace';
  /** What the gates judge by; where it is absent they are BLOCKED. */
  readonly policy?: PolicyContext;
  /**
   * Tables that join links which stream are left to plans that follow this one: a run that follows begins with what
   * streams, and tries what does not succeed again beside it.
   */
  readonly tablesLater?: boolean;
  /** Turns findings of severity warn into a refusal. */
  readonly strict?: boolean;
  /** Names under hashKeys of the configuration. */
  readonly hashKeys: readonly string[];
  readonly config: Sha256;
  readonly mode: 'live' | 'simulation';
  /** Found elsewhere, and judged with the plan's own. */
  readonly findings?: readonly Finding[];
}
