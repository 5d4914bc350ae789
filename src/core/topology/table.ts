/**
 * What a table is, as the catalogue of one server describes it. Everything that decides how a table is published,
 * copied, decoded, applied and compared is read once into this form; nothing else in core knows the catalogue.
 */

/** schema.table, as table-name.ts writes it: the name in configuration, plans and reports. */
export type TableName = string;

export interface TypeFacts {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** pg_type.typtype: base, composite, domain, enum, pseudo, range, multirange. */
  readonly kind: 'b' | 'c' | 'd' | 'e' | 'p' | 'r' | 'm';
  /** pg_type.typcategory, "A" for arrays. */
  readonly category: string;
  /** Element type of an array, else 0. */
  readonly elementOid: number;
  /** Base type of a domain, else 0. */
  readonly baseOid: number;
  /** Subtype of a range or multirange, else 0. */
  readonly rangeSubtypeOid: number;
  /** Attribute types of a composite, in order, else empty. */
  readonly attributes: readonly { readonly name: string; readonly typeOid: number }[];
  /** Whether the type has binary send and receive functions. */
  readonly hasBinary: boolean;
  /** A domain that refuses NULL by NOT NULL or a CHECK. */
  readonly strictDomain: boolean;
  /** Labels of an enum in order, else empty. */
  readonly labels: readonly string[];
  /** pg_type.typtypmod of a domain: the length or precision that it gives its base type; -1 for none. */
  readonly typeModifier?: number;
  /** Constraints of a domain, by name: CHECK as pg_get_constraintdef shows it, and NOT NULL. */
  readonly constraints?: Readonly<Record<string, string>>;
}

export interface ColumnFacts {
  readonly name: string;
  /** What its own server calls it, where `name` is what the source calls it (target-view.ts). */
  readonly ownName?: string;
  /** pg_attribute.attnum. */
  readonly number: number;
  readonly typeOid: number;
  /** format_type(atttypid, atttypmod): "character varying(40)". */
  readonly typeName: string;
  readonly typeModifier: number;
  readonly notNull: boolean;
  readonly default: string | null;
  readonly generated: 'none' | 'stored' | 'virtual';
  readonly identity: 'none' | 'always' | 'by-default';
  readonly collation: string | null;
  /** pg_attribute.attmissingval as text: what rows have that are older than the column; absent where they have none. */
  readonly filled?: string;
  /** Statistics, for choosing how to cut a large table into chunks: pg_stats.correlation, or null. */
  readonly correlation: number | null;
}

export interface IndexFacts {
  readonly name: string;
  readonly columns: readonly string[];
  readonly primary: boolean;
  readonly unique: boolean;
  readonly exclusion: boolean;
  /** pg_index.indimmediate: false for a deferrable constraint. */
  readonly immediate: boolean;
  /** Expressions or a predicate: such an index can be no key. */
  readonly partialOrExpression: boolean;
  readonly valid: boolean;
}

export interface TriggerFacts {
  readonly name: string;
  /** pg_trigger.tgenabled: origin, disabled, replica, always. */
  readonly enabled: 'O' | 'D' | 'R' | 'A';
  readonly timing: string;
}

export interface TableFacts {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** pg_class.relkind: ordinary or partitioned. */
  readonly kind: 'r' | 'p';
  readonly persistence: 'permanent' | 'unlogged' | 'temporary';
  readonly isPartition: boolean;
  /** Leaves of a partitioned table at every depth, as schema.table; a foreign table may be among them. */
  readonly leaves: readonly TableName[];
  readonly columns: readonly ColumnFacts[];
  readonly indexes: readonly IndexFacts[];
  readonly identity: 'default' | 'nothing' | 'full' | 'index';
  /** Columns that the old row of an UPDATE or DELETE carries: by identity; all columns for full; empty for none. */
  readonly identityColumns: readonly string[];
  /** Columns of the primary key, in key order; empty without one. */
  readonly primaryKey: readonly string[];
  /** User triggers only. */
  readonly triggers: readonly TriggerFacts[];
  readonly foreignKeys: readonly { readonly name: string; readonly references: TableName }[];
  /** row_security_active(): policies of the table hide rows from the role that read the catalogue. */
  readonly rowSecurity: boolean;
  /** pg_class.relfilenode: another one after a rewrite or TRUNCATE; 0 for a partitioned table. */
  readonly storage?: number;
  /** pg_class.relnatts: the highest number that a column ever had, dropped ones included. */
  readonly highestColumn?: number;
  /** pg_class.reltuples summed over leaves; an estimate, -1 when never analysed. */
  readonly estimatedRows: number;
  /** pg_table_size summed over leaves. */
  readonly bytes: number;
}

/** For statements that the column's own server runs. */
export const ownName = (column: ColumnFacts): string => column.ownName ?? column.name;

export { tableName } from './table-name.ts';

/** Sequences owned by, or of the same schemas as, the tables in scope. */
export interface SequenceFacts {
  readonly schema: string;
  readonly name: string;
  readonly ownedBy: { readonly table: TableName; readonly column: string } | null;
  readonly lastValue: string | null;
  readonly increment: string;
}

export interface Catalogue {
  /** By schema.table. */
  readonly tables: ReadonlyMap<TableName, TableFacts>;
  /** By OID: every type that a column uses, with element, base, sub- and attribute types. */
  readonly types: ReadonlyMap<number, TypeFacts>;
  readonly sequences: readonly SequenceFacts[];
  /** What looks like a table and has no rows that logical replication carries. */
  readonly rowless?: readonly RowlessFacts[];
}

export interface RowlessFacts {
  readonly schema: string;
  readonly name: string;
  readonly kind: 'view' | 'materialized view' | 'foreign table';
}
