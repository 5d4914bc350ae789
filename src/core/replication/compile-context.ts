/** What a relation is compiled against: both catalogues, and the links that may carry it. */

import type { Route, Variant } from '../change/batch.ts';
import type { Lsn } from '../change/lsn.ts';
import type { RelationMessage } from '../change/pgoutput.ts';
import type { Link } from '../topology/link.ts';
import type { Catalogue, TableName } from '../topology/table.ts';
import type { Notes } from './describe-relation.ts';

/** A link as a session carries it. */
export interface CarriedLink {
  readonly link: Link;
  readonly from: Lsn;
  readonly tables: ReadonlySet<TableName>;
  /** Bytes of the tenant's value in the form in which the column of this table is sent, as latin1. */
  tenantBytes(table: TableName): string;
  /** Judges what a later chunk of the copy already holds; null where the table had one snapshot. */
  copied(table: TableName, relation: RelationMessage): Pick<Route, 'seen' | 'unseen'>;
}

export interface CompileContext {
  readonly source: Catalogue;
  readonly target: Catalogue;
  readonly links: readonly CarriedLink[];
  readonly hashKeys: ReadonlyMap<string, Uint8Array>;
  /** Values are sent in binary where their type has a binary form. */
  readonly binary: boolean;
  /** What was noted of the tables before: under which names the log may still have them. */
  readonly notes: Notes;
  /** Variants made so far, by what makes them equal: rows of many tenants share one. */
  readonly variants: Map<string, Variant>;
}
