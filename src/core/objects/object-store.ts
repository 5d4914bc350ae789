/**
 * The port behind which every object store stands: five powers that each has, and others by presence. A caller asks
 * once whether an optional one is there, and does the same in another way where it is not.
 *
 * What every provider promises is object-store.contract.ts, which runs against all of them.
 */

import type { HexDigest } from './hex-digest.ts';

/** An object as its store describes it. */
export interface ObjectInfo {
  /** Without the prefix that the configuration puts before every key. Unicode, never empty. */
  readonly key: string;
  readonly bytes: number;
  /** Names this content of this key: another write gives another one. Opaque; an ETag, a generation, an inode's time. */
  readonly version: string;
  /** When it was written, by the store's clock; milliseconds since the Unix epoch. */
  readonly modifiedAtMs: number;
  /**
   * Of the content, as we recorded it when we wrote it; null where nobody did, and in listings of a store that does not
   * list it. A store's own checksum is never taken for it: a multipart ETag is no digest of the content.
   */
  readonly sha256: HexDigest | null;
  /** What was given with it, keys in lower case; empty in listings of a store that does not list it. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Holds in the store itself, at the instant of the write, whoever else writes. */
export type Precondition =
  { readonly kind: 'absent' } | { readonly kind: 'version'; readonly version: string };

/** Bytes from `first` up to but not including `end`; to the object's end where there is none. */
export interface ByteRange {
  readonly first: number;
  readonly end?: number;
}

export interface ReadOptions {
  readonly range?: ByteRange;
  /** Only this content: another one that took its place is XC-5402, so that two halves never make a third object. */
  readonly version?: string;
}

export interface WriteOptions {
  readonly when?: Precondition;
  /** Of the content, where it is known: another content is XC-5403, and nothing is written. */
  readonly sha256?: HexDigest;
  /** Of the content, where it is known: lets a store choose its parts. Another length is XC-5403. */
  readonly bytes?: number;
  readonly contentType?: string;
  /** Keys of lower-case letters, digits and hyphens; values of any text. Together at most 1.5 KiB. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** An object of another store of the same provider, as that provider addresses it. */
export interface ObjectRef {
  readonly store: ObjectStore;
  readonly info: ObjectInfo;
}

/** Errors: XC-4101, XC-4102, XC-5401 to XC-5404, XC-6101 to XC-6103; `behaviourOf` says what can be done. */
export interface ObjectStore {
  /** Which provider: two stores of one kind may be able to copy between themselves. */
  readonly kind: 's3' | 'gcs' | 'azure' | 'local' | 'memory';
  /** For people: bucket and prefix, never a credential. */
  readonly place: string;
  /** Every object whose key begins with the prefix, in the order of the keys' UTF-8 bytes; read page by page. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  /** Null where there is none. */
  head(key: string): Promise<ObjectInfo | null>;
  /** In pieces, as they come; the connection is let go when the caller stops early. XC-5401 where there is none. */
  read(key: string, options?: ReadOptions): AsyncIterable<Uint8Array>;
  /**
   * All or nothing: until it resolves, readers see what was there before, and a write that is cut off or fails leaves
   * nothing. The content's sha256 is recorded with the object wherever the store lets it be.
   */
  write(key: string, body: AsyncIterable<Uint8Array>, options?: WriteOptions): Promise<ObjectInfo>;
  /** Removing what is not there is no error, unless a version was asked for. */
  remove(key: string, when?: Precondition & { kind: 'version' }): Promise<void>;
  /** Inside the cloud, the bytes never coming here. Null where the store cannot take it from that one. */
  copyFrom?(source: ObjectRef, key: string, options?: Pick<WriteOptions, 'when'>): Promise<ObjectInfo | null>;
  /** Large objects in parts that survive this process. */
  readonly parts?: PartialUploads;
  close(): Promise<void>;
}

export interface UploadedPart {
  /** From 1. */
  readonly number: number;
  readonly bytes: number;
  /** What the store calls this part; handed back at the end. */
  readonly tag: string;
}

/** An upload in parts: sent in any order and beside each other, kept by the store across a crash, joined at the end. */
export interface PartialUploads {
  /** All parts but the last have at least this size. Bytes. */
  readonly smallestPartBytes: number;
  readonly largestPartBytes: number;
  readonly mostParts: number;
  begin(key: string, options?: Omit<WriteOptions, 'when'>): Promise<string>;
  put(key: string, upload: string, number: number, body: Uint8Array): Promise<UploadedPart>;
  /** What is there of an upload already, by number; null where the store no longer knows it. */
  list(key: string, upload: string): Promise<readonly UploadedPart[] | null>;
  finish(
    key: string,
    upload: string,
    parts: readonly UploadedPart[],
    options?: WriteOptions,
  ): Promise<ObjectInfo>;
  /** Also of one that is gone. */
  abandon(key: string, upload: string): Promise<void>;
}
