/** What the catalogue holds of a code. */

export interface CodeEntry {
  /** What happened, in a few words without the subject. */
  readonly title: string;
  /** When it happens and what it means: one to four sentences for `explain`. */
  readonly means: string;
  /** What to do next; imperative, with the command where there is one. */
  readonly next: string;
  /** Exit code; given only where the thousand does not decide it. */
  readonly exit?: number;
}
