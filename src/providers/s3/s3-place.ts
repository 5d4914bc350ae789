/** A bucket, a prefix, and a client: what every request of a store begins with. */

import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { storePatience } from '../../core/objects/patience.ts';
import { type Requests, requestsOf } from '../../core/objects/requests.ts';
import type { Clock } from '../../core/time/clock.ts';
import { explainS3 } from './s3-errors.ts';
import { S3Wire } from './s3-wire.ts';

export interface S3Address {
  readonly bucket: string;
  /** Before every key; empty for none. */
  readonly prefix: string;
  /** Undefined for AWS itself. */
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  /** Undefined for the SDK's own chain: environment, profile, role. */
  readonly credentials:
    | { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
    | undefined;
  /** The bucket in the path: a server of one's own answers at one address for all buckets. */
  readonly forcePathStyle: boolean;
  /** `when-required` for servers that do not know S3's newer checksums. */
  readonly checksums: 'when-supported' | 'when-required';
  readonly storageClass: string | undefined;
  readonly encryption: { readonly kind: 'aes256' | 'kms'; readonly keyId?: string } | undefined;
}

const CONNECT_MS = 10_000;
/** Of silence on an open connection. */
const SILENCE_MS = 60_000;

export class S3Place {
  /** For all but the hot path. */
  readonly client: S3Client;
  readonly wire: S3Wire;
  readonly bucket: string;
  readonly address: S3Address;
  readonly clock: Clock;
  readonly name: string;
  readonly requests: Requests;
  readonly told: Requests['told'];

  constructor(address: S3Address, clock: Clock, signal?: AbortSignal) {
    this.client = new S3Client(clientConfig(address, clock));
    this.bucket = address.bucket;
    this.address = address;
    this.clock = clock;
    this.name = `s3:${address.bucket}${address.prefix === '' ? '' : `/${address.prefix}`}`;
    this.requests = requestsOf(this.name, storePatience(clock, signal), explainS3);
    this.told = this.requests.told;
    this.wire = new S3Wire(this.client, this.bucket, this.name, this.requests);
  }

  /** What names an object in a request. */
  at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.bucket, Key: this.address.prefix + key };
  }

  /** What a new object is stored with. */
  storage(): {
    StorageClass?: 'STANDARD';
    ServerSideEncryption?: 'AES256' | 'aws:kms';
    SSEKMSKeyId?: string;
  } {
    const { storageClass, encryption } = this.address;
    return {
      // The SDK's type lists the classes of today.
      ...(storageClass === undefined ? {} : { StorageClass: storageClass as 'STANDARD' }),
      ...(encryption === undefined
        ? {}
        : { ServerSideEncryption: encryption.kind === 'kms' ? ('aws:kms' as const) : ('AES256' as const) }),
      ...(encryption?.keyId === undefined ? {} : { SSEKMSKeyId: encryption.keyId }),
    };
  }

  storageHeaders(): Readonly<Record<string, string | undefined>> {
    const { StorageClass, ServerSideEncryption, SSEKMSKeyId } = this.storage();
    return {
      'x-amz-storage-class': StorageClass,
      'x-amz-server-side-encryption': ServerSideEncryption,
      'x-amz-server-side-encryption-aws-kms-key-id': SSEKMSKeyId,
    };
  }

  async close(): Promise<void> {
    this.client.destroy();
    await this.wire.close();
  }
}

const clientConfig = (address: S3Address, clock: Clock): S3ClientConfig => ({
  region: address.region ?? 'us-east-1',
  // Requests are asked again in one place, with one patience.
  maxAttempts: 1,
  // No request of the SDK carries a body of an object; parts are signed with their sha256, and need no other sum.
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
  // It signs at our clock, as the hot path does.
  systemClockOffset: clock.nowMs() - Date.now(),
  requestHandler: {
    connectionTimeout: CONNECT_MS,
    requestTimeout: SILENCE_MS,
    // More than anybody's --transfers: waiting for a socket is no way to bound the number of requests.
    httpAgent: { maxSockets: 1024 },
    httpsAgent: { maxSockets: 1024 },
  },
  forcePathStyle: address.forcePathStyle,
  ...(address.endpoint === undefined ? {} : { endpoint: address.endpoint }),
  ...(address.credentials === undefined ? {} : { credentials: { ...address.credentials } }),
});
