/**
 * Records of a change log, one a line of JSON: docs/changelog-format.md describes them for readers of other programs.
 * Every line has its digest as its last field; it is chain.ts's affair and not part of these types.
 */

import type { TenantScope } from '../config/schema.ts';
import type { LinkId } from '../topology/link.ts';
import type { TableFacts, TableName, TypeFacts } from '../topology/table.ts';

/** A reader refuses a greater one. */
export const FORMAT = 1;

/** A position as text: "0/1A2B". */
export type Position = string;

/** First line of each file. */
export interface HeaderRecord {
  readonly t: 'header';
  readonly format: number;
  /** Names the log's slot and publication at the source. */
  readonly log: string;
  /** Digest of the first header of the log, which tells it from every other; null in that header itself. */
  readonly genesis: string | null;
  /** 1, 2, …: number of the file. */
  readonly file: number;
  /** Digest of the last line of the file before; null in the first. */
  readonly previous: string | null;
  readonly controlPlane: string;
  readonly link: {
    readonly id: LinkId;
    readonly rule: string;
    readonly tenant: string;
    readonly scope: TenantScope;
  };
  readonly source: {
    readonly region: string;
    readonly database: string;
    readonly system: string;
    readonly timeline: number;
    /** server_version_num. */
    readonly version: number;
  };
  /** Where the slot began: the copy shows what was committed before, changes are what was committed after. */
  readonly start: Position;
  /** Whether the log begins with a copy of the rows that were there. */
  readonly copy: boolean;
  /** Everything up to here stands in earlier files. */
  readonly position: Position;
  readonly createdAt: string;
}

/** What a table is, before its first row and whenever that changes. Fields of rows are in the order of `columns`. */
export interface TableRecord {
  readonly t: 'table';
  /** What rows name it by; the same through all files of the log. */
  readonly table: number;
  readonly name: TableName;
  readonly columns: readonly string[];
  /** Of `columns`: those that `old` of an update or delete holds, in their order; empty where it holds all. */
  readonly key: readonly string[];
  /** Columns whose values are not those of the source, and what was done with them. */
  readonly redacted: Readonly<Record<string, 'hash' | 'mask'>>;
  readonly facts: TableFacts;
  /** Every type that the columns are made of. */
  readonly types: readonly TypeFacts[];
}

export interface BeginRecord {
  readonly t: 'begin';
  /** Start of the commit record at the source. */
  readonly lsn: Position;
  readonly xid: number;
}

/** Text form of a value; NULL; one that the change left as it was and that was not sent; or bytes that are no UTF-8. */
export type LoggedValue = string | null | { readonly unchanged: true } | { readonly base64: string };

export interface InsertRecord {
  readonly t: 'insert';
  readonly table: number;
  readonly new: readonly LoggedValue[];
}

export interface UpdateRecord {
  readonly t: 'update';
  readonly table: number;
  /** The key before the change; absent where it is the new row's. */
  readonly old?: readonly LoggedValue[];
  readonly new: readonly LoggedValue[];
}

export interface DeleteRecord {
  readonly t: 'delete';
  readonly table: number;
  readonly old: readonly LoggedValue[];
}

/** All rows of the link in the table, and no others. */
export interface TruncateRecord {
  readonly t: 'truncate';
  readonly table: number;
}

export interface CommitRecord {
  readonly t: 'commit';
  /** End of the commit record: the transaction's position. */
  readonly lsn: Position;
  /** With microseconds: "2026-05-04T03:02:01.000000Z". */
  readonly at: string;
  readonly changes: number;
}

/** Nothing of the link was committed up to here. */
export interface PositionRecord {
  readonly t: 'position';
  readonly lsn: Position;
  readonly at: string | null;
}

/** The copy is whole; the position is the header's `start`. */
export interface CopiedRecord {
  readonly t: 'copied';
  readonly lsn: Position;
  readonly rows: number;
}

/** Last line of a file that is full, or of the log. */
export interface SealRecord {
  readonly t: 'seal';
  readonly lsn: Position;
  /** Of the file before this line. */
  readonly lines: number;
  readonly bytes: number;
  readonly sha256: string;
  /** Name of the file that follows, beside this one; null where the log is closed. */
  readonly next: string | null;
}

export type ChangeRecord = InsertRecord | UpdateRecord | DeleteRecord | TruncateRecord;

export type LogRecord =
  | HeaderRecord
  | TableRecord
  | BeginRecord
  | ChangeRecord
  | CommitRecord
  | PositionRecord
  | CopiedRecord
  | SealRecord;
