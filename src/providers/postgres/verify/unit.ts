/** Links of one table that can be compared in one pass: the same columns under the same actions. */

import type { ColumnAction } from '../../../core/policy/column-action.ts';
import type { LinkId } from '../../../core/topology/link.ts';
import type { ComparedColumn, VerifyLink, VerifyTable } from './verify-table.ts';

export interface TableUnit {
  readonly table: VerifyTable;
  readonly columns: readonly ComparedColumn[];
  /** The key's columns, in order; empty without key. */
  readonly key: readonly ComparedColumn[];
  /** Tenant column and the values of all links; null for the whole table. */
  readonly scope: { readonly column: ComparedColumn; readonly values: readonly string[] } | null;
  /** Links of each tenant value; several rules may bring the same rows. */
  readonly linksOf: ReadonlyMap<string | null, readonly LinkId[]>;
  /** Some column is hashed or masked: the source is read through the runner, because the key never stands in SQL. */
  readonly redacted: boolean;
}

export const unitsOf = (table: VerifyTable): TableUnit[] =>
  [...groupBy(table.links, signatureOf).values()].map((links) => unitOf(table, links));

const groupBy = (
  links: readonly VerifyLink[],
  of: (link: VerifyLink) => string,
): Map<string, readonly VerifyLink[]> => {
  const groups = new Map<string, VerifyLink[]>();
  for (const link of links) {
    // A link with the whole table can share its pass with nothing: it already has every row.
    const signature = link.scope === null ? `whole ${link.link}` : of(link);
    groups.set(signature, [...(groups.get(signature) ?? []), link]);
  }
  return groups;
};

const unitOf = (table: VerifyTable, links: readonly VerifyLink[]): TableUnit => {
  const columns = links[0]?.columns ?? [];
  const byName = new Map(columns.map((column) => [column.name, column]));
  const byValue = Map.groupBy(links, (link) => link.scope?.value ?? null);
  const linksOf = new Map([...byValue].map(([value, same]) => [value, same.map((link) => link.link)]));
  const scopeColumn = byName.get(links[0]?.scope?.column ?? '');
  return {
    table,
    columns,
    key: table.keyColumns.flatMap((name) => byName.get(name) ?? []),
    scope: scopeColumn
      ? { column: scopeColumn, values: [...linksOf.keys()].map((value) => value ?? '') }
      : null,
    linksOf,
    redacted: columns.some((column) => column.action.kind !== 'allow'),
  };
};

/** Secrets are told apart by identity, so that no text is ever made of one. */
const keyNumbers = new WeakMap<Uint8Array, number>();
let lastKeyNumber = 0;
const keyNumber = (key: Uint8Array): number => {
  let number = keyNumbers.get(key);
  if (number === undefined) keyNumbers.set(key, (number = ++lastKeyNumber));
  return number;
};

const signatureOf = (link: VerifyLink): string =>
  JSON.stringify([
    link.scope?.column,
    ...link.columns.map((column) => [column.name, actionText(column.action)]),
  ]);

const actionText = (action: ColumnAction): string => {
  switch (action.kind) {
    case 'allow':
    case 'drop':
      return action.kind;
    case 'mask':
      return `mask ${Buffer.from(action.text).toString('hex')}`;
    case 'hash':
      return `hash ${keyNumber(action.key)} ${action.length}`;
  }
};
