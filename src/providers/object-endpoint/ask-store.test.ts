import { expect, it } from 'vitest';
import type { HttpRequest } from '../../core/validation/observed-service.ts';
import { askStore, storeUrl } from './ask-store.ts';

const store = { bucket: 'acme us', endpoint: undefined, region: undefined };

it.each([
  [{ ...store, kind: 's3' as const }, 'https://s3.us-east-1.amazonaws.com/acme%20us'],
  [{ ...store, kind: 's3' as const, region: 'eu-west-1' }, 'https://s3.eu-west-1.amazonaws.com/acme%20us'],
  [{ ...store, kind: 's3' as const, endpoint: 'http://minio:9000/' }, 'http://minio:9000/acme%20us'],
  [{ ...store, kind: 'gcs' as const }, 'https://storage.googleapis.com/storage/v1/b/acme%20us?fields=id'],
  [{ ...store, kind: 'azure' as const }, null],
  [
    { ...store, kind: 'azure' as const, endpoint: 'https://acme.blob.core.windows.net' },
    'https://acme.blob.core.windows.net/acme%20us?restype=container',
  ],
])('%# has its address', (address, url) => {
  expect(storeUrl(address)).toBe(url);
});

it('asks without reading', async () => {
  const asked: HttpRequest[] = [];
  const seen = await askStore({ ...store, kind: 's3' }, 'http://h/b', (request) => {
    asked.push(request);
    return Promise.resolve({ kind: 'answer', status: 403, headers: {} });
  });
  expect(asked.map((request) => request.method)).toEqual(['HEAD']);
  expect(seen).toEqual({ kind: 'answer', status: 403, headers: {} });
});
