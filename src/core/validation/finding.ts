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
  /** Rows that verification found to differ, by their keys after policy; up to a limit. */
  readonly keys?: readonly NamedKey[];
}

/** One row that differs, by its key after policy: a hashed key column shows the hash. */
export interface NamedKey {
  readonly link: string;
  readonly kind: 'missing' | 'extra' | 'changed' | 'unsettled';
  /** By column; a row of a table without key has its hash under "row hash". */
  readonly key: Readonly<Record<string, string | null>>;
}

/** "changed tenant_id=acme id=7"; what is no plain word is quoted, so that it cannot be taken for anything else. */
export const keyText = ({ kind, key }: NamedKey): string =>
  [kind, ...Object.entries(key).map(([column, value]) => `${column}=${valueText(value)}`)].join(' ');

const valueText = (value: string | null): string => {
  if (value === null) return 'NULL';
  return value !== 'NULL' && /^[\w.:@+-]+$/.test(value) ? value : JSON.stringify(value);
};

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
