/**
 * A finding: one observed fact that matters, as precheck, plans, reports and verification all print it. `unknown` is
 * never counted as pass: a check that could not look says so, with the severity of what it could not rule out.
 */

export type Verdict = 'pass' | 'fail' | 'unknown';
export type Severity = 'info' | 'warn' | 'block';

export interface Finding {
  /** Name of the check, kebab-case: stable, for scripts. */
  readonly check: string;
  readonly region?: string;
  /** What was looked at: a table, a slot, an address. Never a value of a row. */
  readonly subject: string;
  readonly verdict: Verdict;
  readonly severity: Severity;
  readonly seen: string;
  /** A statement or command that can be pasted, or an instruction. */
  readonly remedy?: string;
  readonly code?: string;
}

/** A finding that stops a live run: severity block, and not passed. */
export const isBlocking = (finding: Finding): boolean =>
  finding.severity === 'block' && finding.verdict !== 'pass';

const SEVERITY_ORDER: Readonly<Record<Severity, number>> = { block: 0, warn: 1, info: 2 };
const VERDICT_ORDER: Readonly<Record<Verdict, number>> = { fail: 0, unknown: 1, pass: 2 };

/** Worst first: what did not pass before what did, then by severity, check and subject. */
export const compareFindings = (a: Finding, b: Finding): number =>
  Number(a.verdict === 'pass') - Number(b.verdict === 'pass') ||
  SEVERITY_ORDER[a.severity] - SEVERITY_ORDER[b.severity] ||
  VERDICT_ORDER[a.verdict] - VERDICT_ORDER[b.verdict] ||
  compareText(a.region ?? '', b.region ?? '') ||
  compareText(a.check, b.check) ||
  compareText(a.subject, b.subject);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
