/**
 * A publication's row filter over a tenant column. The sender evaluates it for every row of the table, and compares a
 * list value by value: expression_planner(), which prepares row filters, makes no hash table of a list (only
 * preprocess_expression() does, in planner.c). A thousand tenants would halve what it sends. So many values go as the
 * keys of a jsonb object instead, among which the operator `?` searches by halving, with the functions that row filters
 * may have (publicationcmds.c, check_simple_rowfilter_expr: built-in and immutable).
 */

import { SEARCHED_FORMS } from '../../../core/plan/searched-filter.ts';
import { ident, literal } from '../quote.ts';

/** Up to so many values a list is about as fast, and easier to read for whoever looks at the publication. */
const LISTED_VALUES = 16;

/** @param typeOid of the column */
export const rowFilterSql = (column: string, values: readonly string[], typeOid: number): string => {
  const form = values.length > LISTED_VALUES ? SEARCHED_FORMS.get(typeOid) : undefined;
  const keys = form && values.map((value) => form.keyOf(value));
  if (form && keys && keys.every((key) => key !== null)) {
    const object = JSON.stringify(Object.fromEntries(keys.map((key) => [key, 0])));
    return `${literal(object)}::pg_catalog.jsonb OPERATOR(pg_catalog.?) ${form.sql(ident(column))}`;
  }
  const list = values.map(literal).join(', ');
  return `${ident(column)} ${values.length === 1 ? `= ${list}` : `IN (${list})`}`;
};
