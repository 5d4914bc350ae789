/** What precheck saw of services and files beside the databases; what it means is decided by the checks. */

import type { StoreBehaviour } from '../objects/store-errors.ts';

/** One HTTP request's outcome. Only status and headers: a body could hold anything. */
export type HttpAnswer =
  | { readonly kind: 'answer'; readonly status: number; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: 'none'; readonly why: string };

export interface HttpRequest {
  readonly url: string;
  readonly method: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
}

/** Never rejects: that nobody answered is an observation. */
export type HttpAsk = (request: HttpRequest) => Promise<HttpAnswer>;

export interface ObservedDirectory {
  readonly path: string;
  /** The directory itself, or the nearest one above it that exists. */
  readonly existing: string;
  readonly isDirectory: boolean;
  readonly writable: boolean;
  readonly freeBytes: number | null;
}

export interface ObservedKeyFile {
  readonly path: string;
  /** Null where there is no file. */
  readonly file: {
    readonly isFile: boolean;
    readonly readable: boolean;
    /** Permission bits: 0o600. */
    readonly mode: number;
    /** The text begins as a PEM private key does. */
    readonly looksLikeKey: boolean;
  } | null;
}

/** What kind of store was asked, by its endpoint. */
export interface ObservedStore {
  readonly kind: 's3' | 'gcs' | 'azure';
  readonly bucket: string;
  /** Without credentials and query. */
  readonly endpoint: string;
  /** To a request without signature: what stands at the address, and is it open to anybody. */
  readonly answer: HttpAnswer;
  /** What a request with our credentials met; null where none was sent. */
  readonly signed: SignedAnswer | null;
}

/** One page of a listing, asked for with the credentials of the configuration. */
export type SignedAnswer =
  | { readonly kind: 'listed' }
  | {
      readonly kind: 'refused';
      readonly behaviour: StoreBehaviour;
      readonly why: string;
    };
