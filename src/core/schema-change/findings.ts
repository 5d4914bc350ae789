/** What is said of changes that were noted: each with what it means for the rows of the target, and what to do. */

import { splitTable } from '../topology/table-name.ts';
import { quoteTable } from '../topology/quote.ts';
import type { TableFacts, TableName } from '../topology/table.ts';
import type { Finding } from '../validation/finding.ts';
import { mayDiffer, type ShapeChange } from './shape.ts';

export interface ShapeFindingContext {
  readonly sourceRegion: string;
  readonly targetRegion: string;
  readonly table: TableName;
  /** The table on the target; undefined where it is not there. */
  readonly target: TableFacts | undefined;
  /** What of it may differ is compared before the run ends. */
  readonly compared: boolean;
}

export const shapeFinding = (change: ShapeChange, context: ShapeFindingContext): Finding => {
  const told = tell(change, context);
  const differs = mayDiffer(change);
  return {
    check: 'schema-change',
    region: context.sourceRegion,
    subject: context.table,
    // Unknown is never counted as pass: until the rows are compared nothing says that they are the same.
    verdict: differs && !context.compared ? 'unknown' : 'pass',
    severity: differs || change.kind === 'identity-changed' ? 'warn' : 'info',
    ...told,
  };
};

const tell = (
  change: ShapeChange,
  { targetRegion, table, target }: ShapeFindingContext,
): Pick<Finding, 'seen' | 'code' | 'remedy'> => {
  const compare = `xcrepl replication run compares ${table}; drop its link and run again where it differs`;
  switch (change.kind) {
    case 'table-renamed':
      return { code: 'XC-5228', seen: `renamed; it was ${change.from}` };
    case 'column-added':
      return { code: 'XC-5228', seen: `column ${change.column} was added` };
    case 'column-dropped':
      return { code: 'XC-5228', seen: `column ${change.column} was dropped` };
    case 'column-renamed':
      return { code: 'XC-5228', seen: `column ${change.column} was renamed; it was ${change.from}` };
    case 'column-retyped':
      return {
        code: 'XC-5224',
        seen: `column ${change.column} is ${change.to} now, and was ${change.from}; with USING its values can be any`,
        remedy: compare,
      };
    case 'identity-changed':
      return {
        code: 'XC-5229',
        seen: `rows are named by ${change.to} now, and were by ${change.from}`,
        remedy: 'xcrepl precheck',
      };
    case 'rewritten':
      return {
        code: 'XC-5224',
        seen: 'its rows lie in another file now: rewritten, or emptied',
        remedy: compare,
      };
    case 'leaf-attached':
      return {
        code: 'XC-5225',
        seen: `partition ${change.leaf} was attached or created; rows that it had already were not sent`,
        remedy: compare,
      };
    case 'leaf-detached':
      return {
        code: 'XC-5225',
        seen: `partition ${change.leaf} was detached or dropped; its rows are still on ${targetRegion}`,
        remedy: target?.leaves.includes(change.leaf)
          ? `ALTER TABLE ${quoteTable(target)} DETACH PARTITION ${quoted(change.leaf)};`
          : compare,
      };
    case 'leaf-rewritten':
      return {
        code: 'XC-5225',
        seen: `partition ${change.leaf} was emptied by TRUNCATE, or rewritten; a TRUNCATE of a partition is not sent`,
        remedy: compare,
      };
  }
};

const quoted = (table: TableName): string => quoteTable(splitTable(table));

/** @param left what the target still has of it */
export const droppedFinding = (
  table: TableName,
  left: { readonly schema: string; readonly name: string },
  sourceRegion: string,
): Finding => ({
  check: 'schema-change',
  region: sourceRegion,
  subject: table,
  verdict: 'pass',
  severity: 'warn',
  seen: 'dropped on the source; the target keeps its rows as they were last',
  remedy: `DROP TABLE ${quoteTable(left)}; -- on the target, if nobody needs it there`,
  code: 'XC-5226',
});
