/**
 * Which sequence of the target stands for which of the source: the one that the same column draws from, whatever it is
 * called, and otherwise the one of the same name. How far ahead of the source it is kept is the rule's.
 */

import type { Link } from '../topology/link.ts';
import { targetColumn, targetTable } from '../topology/mapping.ts';
import type { TableName } from '../topology/table.ts';

/** A sequence and a column that draws from it: by owning it, as identity, or in its default. */
export interface SequenceUse {
  readonly oid: number;
  /** schema.name */
  readonly sequence: string;
  readonly table: TableName;
  readonly column: string;
  /** The role may see its value. */
  readonly readable: boolean;
  /** Null where none was drawn, or it cannot be read. */
  readonly lastValue: bigint | null;
  readonly increment: bigint;
}

export interface SequencePair {
  readonly source: SequenceUse;
  /** Null where the target has none. */
  readonly target: { readonly oid: number; readonly sequence: string } | null;
  /** What the target's is brought to. */
  readonly value: bigint | null;
}

/** Values that the target is kept ahead by where the rule says nothing: those that are drawn between two times. */
export const HEAD_START = 1_000;

export interface SequenceWish {
  readonly rule: Link['rule'];
  readonly tables: ReadonlySet<TableName>;
}

export const wantsSequences = (rule: Link['rule']): boolean => rule.sequences !== 'off';

const headStart = (rule: Link['rule']): number =>
  typeof rule.sequences === 'object' ? rule.sequences.headStart : HEAD_START;

/**
 * One pair a sequence. Where several columns draw from one, or several rules carry it, the furthest head start counts.
 * @param byName sequences of the target by their names
 */
export const pairSequences = (
  wishes: readonly SequenceWish[],
  source: readonly SequenceUse[],
  target: readonly SequenceUse[],
  byName: ReadonlyMap<string, number>,
): SequencePair[] => {
  const uses = Map.groupBy(target, (use) => JSON.stringify([use.table, use.column]));
  const pairs = new Map<string, SequencePair>();
  for (const use of source)
    for (const { rule } of wishes.filter(
      ({ rule, tables }) => wantsSequences(rule) && tables.has(use.table),
    )) {
      const there = JSON.stringify([
        targetTable(rule.map, use.table),
        targetColumn(rule.map, use.table, use.column),
      ]);
      const name = targetTable(rule.map, use.sequence);
      const pair: SequencePair = {
        source: use,
        target: twin(uses.get(there) ?? [], name, byName),
        value: use.lastValue === null ? null : use.lastValue + use.increment * BigInt(headStart(rule)),
      };
      const known = pairs.get(use.sequence);
      if (!known || further(pair, known)) pairs.set(use.sequence, pair);
    }
  return [...pairs.values()].toSorted((a, b) => (a.source.sequence < b.source.sequence ? -1 : 1));
};

const twin = (
  uses: readonly SequenceUse[],
  name: string,
  byName: ReadonlyMap<string, number>,
): SequencePair['target'] => {
  const same = uses.find((use) => use.sequence === name) ?? uses[0];
  if (same) return { oid: same.oid, sequence: same.sequence };
  const oid = byName.get(name);
  return oid === undefined ? null : { oid, sequence: name };
};

const further = (a: SequencePair, b: SequencePair): boolean => {
  if (a.target === null || b.target === null) return a.target !== null;
  if (a.value === null || b.value === null) return false;
  return a.source.increment > 0n ? a.value > b.value : a.value < b.value;
};
