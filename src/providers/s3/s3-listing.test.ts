import { expect, it } from 'vitest';
import { listedPage } from './s3-listing.ts';

const page = (body: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${body}</ListBucketResult>\n`;

const entry = (key: string): string =>
  `<Contents><Key>${key}</Key><LastModified>2026-03-01T10:00:00.000Z</LastModified><ETag>&quot;5d41&quot;</ETag>` +
  '<Size>5368709120</Size><Owner><ID>IsTruncated</ID><DisplayName>&lt;IsTruncated&gt;</DisplayName></Owner></Contents>';

it('reads keys in percents, sizes beyond 32 bits, and what the page says of itself', () => {
  const xml = page(
    `<IsTruncated>true</IsTruncated>${entry('in/a+b%2B%26%F0%9F%98%80')}${entry('in/c&amp;d')}<NextContinuationToken>1&amp;x==</NextContinuationToken>`,
  );
  const { objects, next } = listedPage(xml, 's3:b', 'in/');
  expect(objects.map(({ key }) => key)).toEqual(['a b+&😀', 'c&d']);
  expect(objects[0]).toMatchObject({
    bytes: 5_368_709_120,
    version: '5d41',
    modifiedAtMs: Date.UTC(2026, 2, 1, 10),
    sha256: null,
  });
  expect(next).toBe('1&x==');
});

it('ends where the page says so, before or behind its entries', () => {
  const token = '<NextContinuationToken>left over</NextContinuationToken>';
  for (const body of [
    `<IsTruncated>false</IsTruncated>${token}${entry('a')}`,
    `${entry('a')}<IsTruncated>false</IsTruncated>`,
  ])
    expect(listedPage(page(body), 's3:b', '').next).toBeNull();
  expect(listedPage(page('<KeyCount>0</KeyCount>'), 's3:b', '')).toEqual({ objects: [], next: null });
});

it('takes nothing for a listing that is none, or half of one', () => {
  const whole = page(entry('a') + entry('b'));
  for (const xml of ['', '<html><body>Sign in</body></html>', whole.slice(0, whole.length / 2)])
    expect(() => listedPage(xml, 's3:b', '')).toThrow(expect.objectContaining({ code: 'XC-6104' }));
});
