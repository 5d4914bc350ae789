/** Asks an object store for a bucket, without signature: what stands behind the address, and is the bucket there. */

import type { HttpAsk, ObservedStore } from '../../core/validation/observed-service.ts';

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

/** S3 HeadBucket, GCS "buckets get", Azure "Get Container Properties". */
export const askStore = async (
  store: StoreAddress,
  url: string,
  shownEndpoint: string,
  ask: HttpAsk,
): Promise<ObservedStore> => ({
  kind: store.kind,
  bucket: store.bucket,
  endpoint: shownEndpoint,
  answer: await ask({ url, method: store.kind === 'gcs' ? 'GET' : 'HEAD' }),
});
