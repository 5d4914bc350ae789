/**
 * The one error type that crosses a room's border. Its code is stable and stands in the catalogue, which gives the
 * title and the default remedy; the thrower adds what only it knows: to what it happened, why, and what to do next.
 */

import { codes, type XcCode } from './catalogue.ts';

export type { XcCode } from './catalogue.ts';

export interface XcDetail {
  /** To what it happened: a table, a region, a file:line. */
  readonly subject?: string;
  /** Why, in the words of the cause. Never a secret: callers redact before they throw. */
  readonly why?: string;
  /** The next command or statement, where the thrower knows a better one than the catalogue. */
  readonly next?: string;
  readonly cause?: unknown;
  /** Structured facts for scripts: only JSON values. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

export class XcError extends Error {
  override readonly name = 'XcError';
  readonly code: XcCode;
  readonly title: string;
  readonly subject: string | undefined;
  readonly why: string | undefined;
  readonly next: string;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: XcCode, detail: XcDetail = {}) {
    const entry = codes[code];
    const subject = detail.subject === undefined ? '' : `: ${detail.subject}`;
    const why = detail.why === undefined ? '' : ` (${detail.why})`;
    super(`${entry.title}${subject}${why}`, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.title = entry.title;
    this.subject = detail.subject;
    this.why = detail.why;
    this.next = detail.next ?? entry.next;
    this.facts = detail.facts ?? {};
  }
}

export const isXcError = (error: unknown, ...only: readonly XcCode[]): error is XcError =>
  error instanceof XcError && (only.length === 0 || only.includes(error.code));
