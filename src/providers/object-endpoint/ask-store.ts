/** Asks an object store for a bucket: what stands behind the address, is the bucket there, and are we let in. */

import { isXcError } from '../../core/errors/xc-error.ts';
import type { ObjectStore } from '../../core/objects/object-store.ts';
import { behaviourOf } from '../../core/objects/store-errors.ts';
import type { HttpAnswer, HttpAsk, SignedAnswer } from '../../core/validation/observed-service.ts';

export interface StoreAddress {
  readonly kind: 's3' | 'gcs' | 'azure';
  /** Bucket or container. */
  readonly bucket: string;
  /** Undefined for the cloud's own. */
  readonly endpoint: string | undefined;
  /** S3: the bucket's region. */
  readonly region: string | undefined;
}

/** Null when there is no address to ask: Azure has one an account, and it was not given. */
export const storeUrl = (store: StoreAddress): string | null => {
  const bucket = encodeURIComponent(store.bucket);
  const base = store.endpoint?.replace(/\/+$/, '');
  switch (store.kind) {
    case 's3':
      return `${base ?? `https://s3.${store.region ?? 'us-east-1'}.amazonaws.com`}/${bucket}`;
    case 'gcs':
      return `${base ?? 'https://storage.googleapis.com'}/storage/v1/b/${bucket}?fields=id`;
    case 'azure':
      return base === undefined ? null : `${base}/${bucket}?restype=container`;
  }
};

/** S3 HeadBucket, GCS "buckets get", Azure "Get Container Properties". Without a signature. */
export const askStore = async (store: StoreAddress, url: string, ask: HttpAsk): Promise<HttpAnswer> =>
  await ask({ url, method: store.kind === 'gcs' ? 'GET' : 'HEAD' });

/** Asks a store for the first page of what it holds, with the credentials that it was opened with. Writes nothing. */
export const askSigned = async (store: ObjectStore): Promise<SignedAnswer> => {
  try {
    for await (const _first of store.list('')) break;
    return { kind: 'listed' };
  } catch (error) {
    if (!isXcError(error)) throw error;
    return { kind: 'refused', behaviour: behaviourOf(error), why: error.message };
  }
};
