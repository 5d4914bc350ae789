/** Columns that do not go to the target: the tenant's policy drops them, or the rule leaves them out. */

import type { RuleConfig } from '../config/schema.ts';
import type { Link } from './link.ts';
import { matchesPatterns } from './pattern.ts';
import type { TableName } from './table.ts';

/** `leaveOut` of a rule: the target lacks the column, or computes its own. */
export const isLeftOut = (leaveOut: RuleConfig['leaveOut'], table: TableName, column: string): boolean =>
  Object.entries(leaveOut ?? {}).some(
    ([pattern, columns]) => columns.includes(column) && matchesPatterns([pattern], table),
  );

export const isDropped = ({ columns, rule }: Link, table: TableName, column: string): boolean =>
  columns?.[table]?.[column]?.action === 'drop' || isLeftOut(rule.leaveOut, table, column);
