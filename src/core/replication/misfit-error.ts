/** A target that does not fit, as one error with every statement that it lacks, and whether a rule lets the run do it. */

import { XcError } from '../errors/xc-error.ts';
import type { Misfit } from '../schema-change/fit.ts';
import { createTable, named, renameTable } from '../schema-change/statements.ts';
import type { Link, LinkId } from '../topology/link.ts';
import { targetTable } from '../topology/mapping.ts';
import { tableName, type TableFacts, type TableName } from '../topology/table.ts';
import type { Notes } from './describe-relation.ts';

/** What `facts` of such an error hold. */
export interface MisfitFacts {
  readonly links: readonly LinkId[];
  readonly table: TableName;
  /** In the order in which they are to be run on the target. */
  readonly statements: readonly string[];
  /** All of them take nothing away and give no row another value: `ddl: additive` runs them. */
  readonly additive: boolean;
}

export const misfitError = (found: readonly Misfit[], table: TableName, links: readonly Link[]): XcError => {
  const codes = new Set(found.map(({ code }) => code));
  const [only] = codes;
  // Two columns may lack the same of one type.
  const statements = [...new Set(found.flatMap(({ sql }) => sql))];
  return new XcError(codes.size === 1 && only !== undefined ? only : 'XC-5202', {
    subject: found.map(({ subject }) => subject).join(', '),
    why: found.map(({ subject, why }) => (found.length > 1 ? `${subject}: ${why}` : why)).join('; '),
    ...(statements.length > 0 ? { next: statements.join('\n') } : {}),
    facts: {
      links: links.map(({ id }) => id),
      table,
      statements,
      additive: found.every(({ additive, sql }) => additive && sql.length > 0),
    } satisfies MisfitFacts,
  });
};

/** The target has no table of that name; where the source renamed its own, the target's is renamed. */
export const noTable = (source: TableFacts, links: readonly Link[], notes: Notes): XcError => {
  const table = tableName(source);
  const noted = notes.get(source.oid);
  const former = [...(noted?.formerly ?? []), ...(noted && noted.name !== table ? [noted.name] : [])].at(-1);
  const map = links[0]?.rule.map;
  const there = (name: TableName): ReturnType<typeof named> => named(targetTable(map, name));
  const { sql } = former === undefined ? createTable(source, map) : renameTable(there(former), there(table));
  return new XcError('XC-5202', {
    subject: table,
    why:
      former === undefined
        ? 'the target has no such table'
        : `the source calls it so now; the target may still call it ${former}`,
    next: sql.join('\n'),
    facts: {
      links: links.map(({ id }) => id),
      table,
      statements: sql,
      additive: false,
    } satisfies MisfitFacts,
  });
};

export const renamedAway = (from: TableName, to: TableName, links: readonly Link[]): XcError =>
  new XcError('XC-5223', {
    subject: from,
    why: `it is ${to} now, which no rule names`,
    next: `name ${to} in rules.${links[0]!.rule.id}.tables, and on the target: ${renameTable(named(from), named(to)).sql.join(' ')}`,
    facts: { links: links.map(({ id }) => id), table: from },
  });

/** The facts of an error of this file; null for any other. */
export const misfitFacts = (error: unknown): MisfitFacts | null => {
  if (!(error instanceof XcError)) return null;
  const { facts } = error;
  return isMisfit(facts) ? facts : null;
};

const isMisfit = (facts: XcError['facts']): facts is XcError['facts'] & MisfitFacts =>
  Array.isArray(facts['statements']);
