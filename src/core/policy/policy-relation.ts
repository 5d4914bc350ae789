/** From a table of the catalogue to what the row policy judges. */

import type { ColumnFacts, TableFacts, TypeFacts } from '../topology/table.ts';
import { tableName } from '../topology/table.ts';
import type { PolicyColumn, PolicyRelation } from './column-action.ts';

/** The relation without its generated columns, which are not sent. */
export const policyRelation = (table: TableFacts, types: ReadonlyMap<number, TypeFacts>): PolicyRelation => {
  const keys = new Set([...table.primaryKey, ...(table.identity === 'full' ? [] : table.identityColumns)]);
  return {
    table: tableName(table),
    columns: table.columns
      .filter((column) => column.generated === 'none')
      .map((column): PolicyColumn => ({
        name: column.name,
        typeOid: column.typeOid,
        ...underlyingType(column, types),
        isKey: keys.has(column.name),
      })),
  };
};

/** A domain's limit is its own typtypmod, not the column's; of domains over domains the innermost counts. */
const underlyingType = (
  column: ColumnFacts,
  types: ReadonlyMap<number, TypeFacts>,
): Pick<PolicyColumn, 'typeName' | 'typeModifier'> => {
  let type = types.get(column.typeOid);
  let { typeModifier } = column;
  while (type?.kind === 'd') {
    typeModifier = type.typeModifier ?? -1;
    type = types.get(type.baseOid);
  }
  return { typeName: type?.name ?? column.typeName, typeModifier };
};
