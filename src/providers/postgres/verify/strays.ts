/** Rows of the target that no link brings there: another tenant's, or none's. */

import type { Client } from 'pg';
import type { Finding } from '../../../core/validation/finding.ts';
import { ident, literal, qualified } from '../quote.ts';
import { valueText } from './value-text.ts';
import type { VerifyTable } from './verify-table.ts';

/** A finding when there are such rows, else null; null also where some link has the whole table. */
export const findStrays = async (target: Client, table: VerifyTable): Promise<Finding | null> => {
  const scopes = table.links.map((link) => link.scope);
  const [first] = scopes;
  const column = table.links[0]?.columns.find((one) => one.name === first?.column);
  if (!first || !column || scopes.some((scope) => scope?.column !== first.column)) return null;
  const values = scopes.map((scope) => literal(scope?.value ?? '')).join(', ');
  const text = valueText(column, 'target');
  const from = `${table.target.partitioned ? '' : 'ONLY '}${qualified(table.target)} AS t`;
  const { rows } = await target.query<{ count: string }>(
    `SELECT count(*) FROM ${from} WHERE t.${ident(column.target.column)} IS NULL OR ${text} <> ALL (ARRAY[${values}])`,
  );
  const count = Number(rows[0]?.count ?? 0);
  if (count === 0) return null;
  return {
    check: 'verify-other-tenants',
    subject: table.table,
    verdict: 'fail',
    severity: 'warn',
    seen: `${count} rows on the target belong to no replicated tenant`,
    remedy: 'find out who writes them, or remove them',
    code: 'XC-5104',
  };
};
