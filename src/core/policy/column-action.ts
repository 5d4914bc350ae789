/**
 * What is done with each column of a relation for one tenant, before any byte of it is buffered, spilled or sent.
 */

import type { XcCode } from '../errors/xc-error.ts';
import type { TableName } from '../topology/table.ts';

/** One column as the policy sees it. Generated columns are not sent, so they do not appear. */
export interface PolicyColumn {
  readonly name: string;
  /** The column's own type: a domain's, where it is of a domain. */
  readonly typeOid: number;
  /**
   * Name of the type underneath, after every domain: pg_type.typname ("varchar") or format_type's form
   * ("character varying(40)").
   */
  readonly typeName: string;
  /** pg_attribute.atttypmod, or, where the column is of a domain, the domain's pg_type.typtypmod; -1 for none. */
  readonly typeModifier: number;
  /**
   * Part of the primary key, or of the index that is the replica identity. Not set merely because the identity is
   * FULL: a row without key is found by all of its values, redacted alike on both sides.
   */
  readonly isKey: boolean;
}

export interface PolicyRelation {
  readonly table: TableName;
  readonly columns: readonly PolicyColumn[];
}

export type ColumnAction =
  | { readonly kind: 'allow' }
  | { readonly kind: 'drop' }
  /** HMAC-SHA-256 under `key` (the raw secret), as its first `length` lower-case hexadecimal digits. */
  | { readonly kind: 'hash'; readonly key: Uint8Array; readonly length: number }
  /** A fixed text, in UTF-8. */
  | { readonly kind: 'mask'; readonly text: Uint8Array };

/** Why a relation cannot be sent for a tenant. A refusal as data, so that a plan can list all of them. */
export interface Stop {
  readonly kind: 'stop';
  readonly code: XcCode;
  readonly table: TableName;
  readonly column: string;
  readonly why: string;
  readonly next: string;
}
