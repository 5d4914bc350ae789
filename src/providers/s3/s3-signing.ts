/**
 * AWS Signature Version 4 by the SDK's own signer, with the SDK's own credentials, at our own clock.
 *
 * The payload's sha256 is signed, on TLS as on a plain endpoint: the server then refuses a body that is not the one which
 * we hashed (XAmzContentSHA256Mismatch), which is its word that every byte arrived, behind whatever ends the TLS before
 * it. It costs nothing where an object goes in one request, whose digest we record anyway, and a second pass over the
 * parts of larger ones (0.6 ms a MiB). An unsigned payload would save that pass and leave only TLS's word, which ends at
 * the next proxy.
 */

import type { S3Client } from '@aws-sdk/client-s3';
import { SignatureV4 } from '@smithy/signature-v4';
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import type { Clock } from '../../core/time/clock.ts';

export const EMPTY_SHA256 = createHash('sha256').digest('hex');
export const PAYLOAD_DIGEST = 'x-amz-content-sha256';

/** The signer's request: what it signs, and where its headers come back. */
type SignableRequest = Parameters<SignatureV4['presign']>[0];

class Sha256 {
  readonly #key: string | Uint8Array | null;
  #hash: Hash | Hmac;

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#key = key === undefined ? null : bytesOf(key);
    this.#hash = this.#begun();
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    this.#hash = this.#begun();
  }

  #begun(): Hash | Hmac {
    return this.#key === null ? createHash('sha256') : createHmac('sha256', this.#key);
  }
}

const bytesOf = (data: string | ArrayBuffer | ArrayBufferView): string | Uint8Array => {
  if (typeof data === 'string') return data;
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
};

/** Signs and returns all headers of the request. */
export type Sign = (request: SignableRequest) => Promise<Readonly<Record<string, string>>>;

/** The client's credentials come from its chain and are kept until they expire. */
export const signerOf = (client: S3Client, region: string, clock: Clock): Sign => {
  const signer = new SignatureV4({
    service: 's3',
    region,
    credentials: client.config.credentials,
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  });
  return async (request) => (await signer.sign(request, { signingDate: new Date(clock.nowMs()) })).headers;
};
