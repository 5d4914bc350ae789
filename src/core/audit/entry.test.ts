/** The bytes of an entry: those of RFC 8785, whatever stands in its fields. */

import canonicalize from 'canonicalize';
import { expect, test } from 'vitest';
import { seededRandom } from '../time/seeded-random.ts';
import { entryBytes, isCanonicalEntry, parseEntry, type AuditEntry } from './entry.ts';

const ENTRY: AuditEntry = {
  schemaVersion: 1,
  at: '2026-11-21T07:00:00.000Z',
  controlPlane: 'acme',
  tenant: null,
  actor: 'sre@host',
  action: 'replication.run',
  subject: 'link',
  before: null,
  after: `sha256:${'0a'.repeat(32)}`,
  plan: null,
  run: 'rn_1',
  facts: {},
  outbox: { id: '7', database: 'eu/shop' },
};

const TEXTS = [
  '',
  'a',
  '"',
  '\\',
  '\\ud800',
  '\n',
  '\u0001',
  '\u007f',
  '\u2028',
  'ü',
  '東京',
  '😀',
  '\uffff',
  '</s>',
];
// None with an escape: after many others V8's JSON.parse (Node 24.21) has been seen to read the name a\" as a\\.
const NAMES = [
  'a',
  'Z',
  '10',
  '9',
  '1',
  '007',
  '-1',
  '1e3',
  '',
  'é',
  '😀',
  '\ufb33',
  'constructor',
  'toString',
  'ü東京',
];
const NUMBERS = [0, -0, 1, -1, 1e21, 1e-7, 0.1, 333333333.3333333, 2 ** 53, 5e-324, 1.7976931348623157e308];

test('entries have the bytes that RFC 8785 gives them', () => {
  const random = seededRandom('entries');
  const one = <T>(of: readonly T[]): T => of[Math.floor(random.next() * of.length)]!;
  for (let round = 0; round < 2000; round++) {
    const names = Array.from({ length: Math.floor(random.next() * 5) }, () => one(NAMES) + one(NAMES));
    const facts = Object.fromEntries(
      names.map((name) => [
        name,
        one<string | number | boolean | null>([one(TEXTS), one(NUMBERS), true, null]),
      ]),
    );
    const outbox = random.next() < 0.5 ? null : { id: one(TEXTS), database: one(TEXTS) };
    const entry = {
      ...ENTRY,
      subject: one(TEXTS) + one(TEXTS),
      tenant: one([null, ...TEXTS]),
      outbox,
      facts,
    };
    expect(entryBytes(entry).toString()).toBe(canonicalize(entry));
    expect(isCanonicalEntry(entryBytes(entry))).toBe(true);
    expect(parseEntry(entryBytes(entry))).toEqual(JSON.parse(entryBytes(entry).toString()));
  }
});

test('a name that an object keeps to itself stays a name', () => {
  const entry = { ...ENTRY, facts: JSON.parse('{"__proto__":1,"a":2}') as AuditEntry['facts'] };
  expect(entryBytes(entry).toString()).toContain('"facts":{"__proto__":1,"a":2}');
});

test('half of a surrogate pair has no bytes', () => {
  expect(() => entryBytes({ ...ENTRY, subject: 'half \ud83d' })).toThrow(/surrogate/i);
});

test.each([
  [
    'keys in another order',
    (text: string) => text.replace(/^\{("action":"[^"]*"),("actor":"[^"]*")/, '{$2,$1'),
  ],
  ['a space', (text: string) => text.replace(':', ': ')],
  ['an escape that is not needed', (text: string) => text.replace('acme', '\\u0061cme')],
  ['a key twice', (text: string) => text.replace('{', '{"action":"other",')],
  ['half of a surrogate pair', (text: string) => text.replace('acme', '\\ud83d')],
  ['a key of nobody', (text: string) => text.replace('{', '{"aa":1,')],
  ['no key', (text: string) => text.replace('"tenant":null', '"tenant":0')],
] as const)('%s is another leaf, and no entry', (_, change) => {
  const changed = change(entryBytes(ENTRY).toString());
  expect(changed).not.toBe(entryBytes(ENTRY).toString());
  expect(isCanonicalEntry(Buffer.from(changed))).toBe(false);
});
