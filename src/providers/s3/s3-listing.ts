/** One page of "ListObjectsV2" as it comes: XML of one fixed form, read by its tags, its keys in percents. */

import { XcError } from '../../core/errors/xc-error.ts';
import type { ObjectInfo } from '../../core/objects/object-store.ts';
import { unquoted } from './s3-conditions.ts';

export interface ListedPage {
  readonly objects: readonly ObjectInfo[];
  /** Null on the last page. */
  readonly next: string | null;
}

/** XML 1.0, section 4.6, and character references. */
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const unescaped = (text: string): string =>
  text.includes('&')
    ? text.replace(
        /&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g,
        (whole, hex?: string, decimal?: string, name = '') =>
          hex !== undefined || decimal !== undefined
            ? String.fromCodePoint(Number.parseInt(hex ?? decimal ?? '', hex === undefined ? 10 : 16))
            : (ENTITIES[name as string] ?? whole),
      )
    : text;

/** The text of the first such element in this stretch; empty where there is none. */
const field = (xml: string, name: string, from: number, end: number): string => {
  const open = `<${name}>`;
  const at = xml.indexOf(open, from);
  if (at < 0 || at >= end) return '';
  return unescaped(xml.slice(at + open.length, xml.indexOf('<', at + open.length)));
};

const CONTENTS = '<Contents>';
const CONTENTS_END = '</Contents>';

/** @throws XcError XC-6104 for what is no such page, or not all of one */
export const listedPage = (xml: string, place: string, prefix: string): ListedPage => {
  if (!xml.includes('<ListBucketResult') || !xml.trimEnd().endsWith('</ListBucketResult>'))
    throw new XcError('XC-6104', {
      subject: place,
      why: 'a listing is no ListBucketResult, or not all of it',
    });
  const objects: ObjectInfo[] = [];
  let rest = '';
  let last = 0;
  for (let at = xml.indexOf(CONTENTS); at >= 0; at = xml.indexOf(CONTENTS, last)) {
    rest += xml.slice(last, at);
    const end = xml.indexOf(CONTENTS_END, at);
    const key = decodeURIComponent(field(xml, 'Key', at, end).replaceAll('+', ' '));
    objects.push({
      key: key.slice(prefix.length),
      bytes: Number(field(xml, 'Size', at, end)),
      version: unquoted(field(xml, 'ETag', at, end)),
      modifiedAtMs: Date.parse(field(xml, 'LastModified', at, end)),
      sha256: null,
      metadata: {},
    });
    last = end + CONTENTS_END.length;
  }
  // Outside of the entries: a name of theirs is never taken for the page's.
  rest += xml.slice(last);
  const more = field(rest, 'IsTruncated', 0, rest.length) === 'true';
  return { objects, next: more ? field(rest, 'NextContinuationToken', 0, rest.length) : null };
};
