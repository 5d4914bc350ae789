/** A bucket, a prefix and a client: what every request of a store begins with. */

import { type Bucket, type File, type FileMetadata, Storage } from '@google-cloud/storage';
import { XcError } from '../../core/errors/xc-error.ts';
import { nameFor } from '../../core/objects/keys.ts';
import { fromHeaders } from '../../core/objects/metadata.ts';
import type { ObjectInfo, Precondition } from '../../core/objects/object-store.ts';
import { storePatience } from '../../core/objects/patience.ts';
import { type Requests, requestsOf } from '../../core/objects/requests.ts';
import type { Clock } from '../../core/time/clock.ts';
import { explainGcs } from './gcs-errors.ts';

export interface GcsAddress {
  readonly bucket: string;
  /** Before every key; empty for none. */
  readonly prefix: string;
  /** Undefined for Google itself; with another one, nothing is signed in without credentials. */
  readonly endpoint: string | undefined;
  /** A service account's key; undefined for the SDK's own chain: environment, gcloud, metadata server. */
  readonly credentials: { readonly client_email: string; readonly private_key: string } | undefined;
  readonly storageClass: string | undefined;
  readonly kmsKeyName: string | undefined;
}

/** Parts that wait to be joined are objects here, below this: never listed, and no key of anybody else. */
export const PARTS_PREFIX = '.xcrepl-parts/';

export class GcsPlace {
  readonly bucket: Bucket;
  readonly address: GcsAddress;
  readonly clock: Clock;
  readonly name: string;
  readonly requests: Requests;
  readonly told: Requests['told'];

  constructor(address: GcsAddress, clock: Clock, signal?: AbortSignal) {
    this.bucket = storage(address).bucket(address.bucket);
    this.address = address;
    this.clock = clock;
    this.name = `gcs:${address.bucket}${address.prefix === '' ? '' : `/${address.prefix}`}`;
    this.requests = requestsOf(this.name, storePatience(clock, signal), explainGcs);
    this.told = this.requests.told;
  }

  file(key: string, generation?: string): File {
    return this.bucket.file(this.address.prefix + key, generation === undefined ? {} : { generation });
  }

  /** What a new object, and every part of it, is stored with. */
  encryption(): { kmsKeyName?: string } {
    const { kmsKeyName } = this.address;
    return kmsKeyName === undefined ? {} : { kmsKeyName };
  }

  /** "Object naming guidelines": no line break, no name that is all dots: XC-5404. */
  checkName(key: string): void {
    nameFor(this.name, key);
    const whole = this.address.prefix + key;
    const why = key.startsWith(PARTS_PREFIX)
      ? 'it is kept for parts of uploads'
      : /[\r\n]/.test(whole) ||
          whole === '.' ||
          whole === '..' ||
          whole.startsWith('.well-known/acme-challenge/')
        ? 'Cloud Storage keeps no such name'
        : null;
    if (why !== null) throw new XcError('XC-5404', { subject: `${this.name} ${JSON.stringify(key)}`, why });
  }

  infoOf(key: string, seen: FileMetadata): ObjectInfo {
    const given = Object.fromEntries(
      Object.entries(seen.metadata ?? {}).map(([name, value]) => [name, String(value ?? '')]),
    );
    return {
      key,
      bytes: Number(seen.size ?? 0),
      version: String(seen.generation ?? ''),
      modifiedAtMs: Date.parse(seen.updated ?? ''),
      ...fromHeaders(given),
    };
  }
}

const storage = (address: GcsAddress): Storage =>
  new Storage({
    // Requests are asked again in one place, with one patience.
    retryOptions: { autoRetry: false, maxRetries: 0 },
    ...(address.endpoint === undefined
      ? {}
      : {
          apiEndpoint: address.endpoint,
          projectId: 'none',
          useAuthWithCustomEndpoint: address.credentials !== undefined,
        }),
    ...(address.credentials === undefined ? {} : { credentials: { ...address.credentials } }),
  });

/** "Request preconditions": generation 0 is an object that is not there. */
export const conditionsOf = (when: Precondition | undefined): { ifGenerationMatch?: string | number } => {
  if (when === undefined) return {};
  return { ifGenerationMatch: when.kind === 'absent' ? 0 : when.version };
};
