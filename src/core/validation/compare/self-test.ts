/**
 * Whether a comparison found what was planted for it: exactly that. A row that it did not name is a difference that it
 * would have missed in the real table; one that it named without cause is a value that it does not take for itself.
 */

import type { TableName } from '../../topology/table.ts';
import type { Finding, NamedKey, Verdict } from '../finding.ts';
import type { DifferenceKind } from './settle.ts';
import { ROW_HASH } from './table-verdict.ts';

/** What was done to a scratch copy, and by which key the comparison has to name it. */
export interface Planted {
  readonly kind: DifferenceKind;
  readonly key: NamedKey['key'];
}

export interface Planting {
  readonly planted: readonly Planted[];
  readonly named: readonly NamedKey[];
}

/** One set of links with the same columns under the same actions. */
export interface SelfTestedTable {
  readonly table: TableName;
  readonly links: readonly string[];
  /** Rows in the scratch copy. */
  readonly rows: number;
  readonly planted: readonly DifferenceKind[];
  readonly found: readonly DifferenceKind[];
  /** Named without having been planted. */
  readonly surplus: number;
  readonly verdict: Verdict;
  /** Why nothing, or not everything, could be planted. */
  readonly note: string | null;
}

/** A row without key is named by its hash, so that changing it takes one hash away and adds another. */
const namesOf = ({ kind, key }: Planted): readonly string[] => {
  if (!Object.hasOwn(key, ROW_HASH)) return [JSON.stringify([kind, Object.entries(key)])];
  return kind === 'changed' ? ['missing', 'extra'] : [kind];
};

export const judgePlantings = (
  plantings: readonly Planting[],
): Pick<SelfTestedTable, 'planted' | 'found' | 'surplus' | 'verdict'> => {
  const planted: DifferenceKind[] = [];
  const found: DifferenceKind[] = [];
  let surplus = 0;
  for (const { planted: done, named } of plantings) {
    const left = named.map(({ kind, key }) =>
      Object.hasOwn(key, ROW_HASH) ? kind : JSON.stringify([kind, Object.entries(key)]),
    );
    for (const each of done) {
      planted.push(each.kind);
      const at = namesOf(each).map((name) => left.indexOf(name));
      if (at.includes(-1)) continue;
      for (const name of namesOf(each)) left.splice(left.indexOf(name), 1);
      found.push(each.kind);
    }
    surplus += left.length;
  }
  const verdict =
    planted.length === 0 ? 'unknown' : found.length === planted.length && surplus === 0 ? 'pass' : 'fail';
  return { planted, found, surplus, verdict };
};

export const selfTestFinding = (tested: SelfTestedTable): Finding => {
  const { table, verdict, planted, found, surplus, note } = tested;
  const about = { check: 'verify-self-test', subject: table, verdict };
  const missed = planted.filter((kind) => !found.includes(kind));
  const seen = [
    `found ${found.length} of ${planted.length} planted rows`,
    ...(missed.length === 0 ? [] : [`not the ${missed.join(', ')} one`]),
    ...(surplus === 0 ? [] : [`and named ${surplus} that equal rows have`]),
    ...(note === null ? [] : [note]),
  ].join('; ');
  switch (verdict) {
    case 'pass':
      return { ...about, severity: 'info', seen };
    case 'fail':
      return {
        ...about,
        severity: 'block',
        seen,
        remedy: 'do not rely on a verdict on this table; keep the output with --verbose and report it',
        code: 'XC-5260',
      };
    case 'unknown':
      return {
        ...about,
        severity: 'warn',
        seen: note ?? 'nothing could be planted',
        remedy: 'test again once the table has rows',
        code: 'XC-5261',
      };
  }
};
