/** From what a comparison found to verdicts of links and tables, and to findings that a report can print. */

import type { LinkId } from '../../topology/link.ts';
import type { TableName } from '../../topology/table.ts';
import type { Finding, NamedKey, Verdict } from '../finding.ts';
import type { UnitResult } from './compare-unit.ts';
import type { Difference } from './settle.ts';

export interface LinkVerdict {
  readonly link: LinkId;
  readonly verdict: Verdict;
  readonly differing: number;
  readonly unsettled: number;
}

export interface TableVerdict {
  readonly table: TableName;
  readonly verdict: Verdict;
  readonly links: readonly LinkVerdict[];
  /** Rows read for the first comparison. */
  readonly rows: { readonly source: number; readonly target: number };
  readonly chunks: { readonly checked: number; readonly total: number };
  /** Share that was looked at; 1 is everything. */
  readonly sample: number;
  readonly differing: number;
  /** There may be more than `differing`: the comparison ended early, because the table had failed. */
  readonly atLeast: boolean;
  readonly unsettled: number;
  readonly rounds: number;
  /** At most the limit asked for. */
  readonly keys: readonly NamedKey[];
  /** Where the digests of the source were computed. */
  readonly method: 'in-server' | 'through-runner' | 'both';
}

/** What one unit covered and what came of it. */
export interface UnitOutcome {
  readonly result: UnitResult;
  /** Links of each tenant value, or those with the whole table under null. */
  readonly linksOf: ReadonlyMap<string | null, readonly LinkId[]>;
  readonly keyColumns: readonly string[];
  readonly method: 'in-server' | 'through-runner';
  /** What digests of rows were made of. */
  readonly hashing: 'server' | 'portable';
}

export const ROW_HASH = 'row hash';

export const tableVerdict = (
  table: TableName,
  outcomes: readonly UnitOutcome[],
  sample: number,
  maxKeysNamed: number,
): TableVerdict => {
  const sum = (of: (result: UnitResult) => number): number =>
    outcomes.reduce((total, outcome) => total + of(outcome.result), 0);
  const links = outcomes.flatMap(linkVerdicts);
  const methods = new Set(outcomes.map((outcome) => outcome.method));
  return {
    table,
    verdict: worst(links.map((link) => link.verdict)),
    links,
    rows: { source: sum((result) => result.sourceRows), target: sum((result) => result.targetRows) },
    chunks: { checked: sum((result) => result.checkedChunks), total: sum((result) => result.chunks) },
    sample,
    differing: sum((result) => result.differences.length),
    atLeast: outcomes.some((outcome) => !outcome.result.complete),
    unsettled: sum((result) => result.unsettled.length),
    rounds: Math.max(0, ...outcomes.map((outcome) => outcome.result.rounds)),
    keys: outcomes.flatMap(namedKeys).slice(0, maxKeysNamed),
    method: methods.size > 1 ? 'both' : ([...methods][0] ?? 'in-server'),
  };
};

/** fail outweighs unknown, unknown outweighs pass; nothing looked at is unknown. */
export const worst = (verdicts: readonly Verdict[]): Verdict => {
  if (verdicts.includes('fail')) return 'fail';
  return verdicts.length > 0 && verdicts.every((verdict) => verdict === 'pass') ? 'pass' : 'unknown';
};

const linkVerdicts = ({ result, linksOf }: UnitOutcome): LinkVerdict[] => {
  const count = (list: readonly Difference[], link: LinkId): number =>
    list.filter((difference) => linksFor(linksOf, difference).includes(link)).length;
  return [...linksOf.values()].flat().map((link) => {
    const differing = count(result.differences, link);
    const unsettled = count(result.unsettled, link);
    // A unit that ended early has not looked at everything, so its other links are not known to be equal.
    const verdict =
      differing > 0
        ? 'fail'
        : unsettled > 0 || !result.complete || result.checkedChunks === 0
          ? 'unknown'
          : 'pass';
    return { link, verdict, differing, unsettled };
  });
};

const linksFor = (linksOf: UnitOutcome['linksOf'], { tenant }: Difference): readonly LinkId[] =>
  linksOf.get(tenant) ?? [...linksOf.values()].flat();

const namedKeys = ({ result, linksOf, keyColumns }: UnitOutcome): NamedKey[] => {
  const named = (kind: NamedKey['kind'], difference: Difference): NamedKey => ({
    link: linksFor(linksOf, difference)[0] ?? '',
    kind,
    key: Object.fromEntries(
      difference.key.map((value, i) => [keyColumns.length === 0 ? ROW_HASH : (keyColumns[i] ?? ''), value]),
    ),
  });
  return [
    ...result.differences.map((difference) => named(difference.kind, difference)),
    ...result.unsettled.map((difference) => named('unsettled', difference)),
  ];
};

/** One finding a table: what did not pass with its remedy, what passed with its count. */
export const findingOf = (verdict: TableVerdict): Finding => {
  const about = { check: 'verify-rows', subject: verdict.table, verdict: verdict.verdict };
  const part = verdict.sample < 1 ? ` (sample of ${Math.round(verdict.sample * 100)} %)` : '';
  switch (verdict.verdict) {
    case 'pass':
      return { ...about, severity: 'info', seen: `${verdict.rows.source} rows equal${part}` };
    case 'fail': {
      const count = `${verdict.atLeast ? 'at least ' : ''}${verdict.differing}`;
      return {
        ...about,
        severity: 'block',
        seen: `${count} rows differ${part}: ${kinds(verdict)}`,
        remedy: 'xcrepl replication verify --repair-plan FILE; until it has run do not promote the target',
        code: 'XC-5101',
        keys: verdict.keys,
      };
    }
    case 'unknown':
      return {
        ...about,
        severity: 'warn',
        seen: `${verdict.unsettled} rows kept changing while they were read ${verdict.rounds} times${part}`,
        remedy: 'verify again while fewer writes go on',
        code: 'XC-5102',
        keys: verdict.keys,
      };
  }
};

/** Counts among the named keys; the whole count stands before it. */
const kinds = (verdict: TableVerdict): string =>
  [...Map.groupBy(verdict.keys, (key) => key.kind)]
    .map(([kind, keys]) => `${keys.length} ${kind}`)
    .join(', ') + (verdict.keys.length < verdict.differing ? ' among those named' : '');
