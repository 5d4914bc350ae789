/** A bucket, a prefix, and a client: what every request of a store begins with. */

import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { Clock } from '../../core/time/clock.ts';
import { explainS3 } from './s3-errors.ts';

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

/** Retries of one request, by the SDK: it waits as long as a store asks it to. */
const ATTEMPTS = 5;
const CONNECT_MS = 10_000;
/** Of silence on an open connection. */
const SILENCE_MS = 60_000;

export class S3Place {
  readonly client: S3Client;
  readonly bucket: string;
  readonly address: S3Address;
  readonly clock: Clock;
  readonly name: string;

  constructor(address: S3Address, clock: Clock) {
    const checksums = address.checksums === 'when-required' ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED';
    const config: S3ClientConfig = {
      region: address.region ?? 'us-east-1',
      maxAttempts: ATTEMPTS,
      requestChecksumCalculation: checksums,
      responseChecksumValidation: checksums,
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
    };
    this.client = new S3Client(config);
    this.bucket = address.bucket;
    this.address = address;
    this.clock = clock;
    this.name = `s3:${address.bucket}${address.prefix === '' ? '' : `/${address.prefix}`}`;
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

  async told<T>(key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.explained(error, key);
    }
  }

  explained(error: unknown, key: string): unknown {
    return explainS3(error, this.name, key, this.clock.nowMs());
  }
}
