/** How a recording compiles its relations: one link, text values, and no target that could refuse a column. */

import type { Variant } from '../../../core/change/batch.ts';
import { ZERO_LSN } from '../../../core/change/lsn.ts';
import type { CompileContext } from '../../../core/replication/compile-context.ts';
import type { Link } from '../../../core/topology/link.ts';
import type { Catalogue, TableName } from '../../../core/topology/table.ts';
import type { TenantValues } from '../engine/tenant-values.ts';

export const recordContext = (
  link: Link,
  tables: ReadonlySet<TableName>,
  catalogue: Catalogue,
  hashKeys: ReadonlyMap<string, Uint8Array>,
  values: TenantValues,
): CompileContext => {
  const { scope } = link;
  return {
    source: catalogue,
    target: catalogue,
    hashKeys,
    binary: false,
    notes: new Map(),
    variants: new Map<string, Variant>(),
    links: [
      {
        link,
        from: ZERO_LSN,
        tables,
        tenantBytes: (table) =>
          scope.kind === 'column' ? values.bytes(table, scope.column, scope.value, false) : '',
        copied: () => ({ seen: null, unseen: null }),
      },
    ],
  };
};
