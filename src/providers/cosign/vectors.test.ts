/**
 * Published vectors of what signatures rest on: ECDSA P-256 signatures as Project Wycheproof has them
 * (ecdsa_secp256r1_sha256_test.json, its first key), DSSE's pre-authentication encoding, and RFC 8785. Each case is
 * written out: what a signature must not be is made from the valid one as Wycheproof makes it.
 */

import canonicalize from 'canonicalize';
import { createPublicKey } from 'node:crypto';
import { expect, it, test } from 'vitest';
import { bundles } from './bundles.ts';
import { publicKeyOf } from './signing-key.ts';

const POINT =
  '042927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838c7787964eaac00e5921fb1498a60f4606766b3d9685001558d1a974e7341513e';
const key = publicKeyOf(
  createPublicKey({
    key: Buffer.from(`3059301306072a8648ce3d020106082a8648ce3d030107034200${POINT}`, 'hex'),
    format: 'der',
    type: 'spki',
  })
    .export({ format: 'pem', type: 'spki' })
    .toString(),
  'wycheproof',
);
const MESSAGE = Buffer.from('313233343030', 'hex');
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const R = 0x2ba3a8be6b94d5ec80a6d9d1190a436effe50d85a1eee859b8cc6af9bd5c2e18n;
const S = 0xb329f479a2bbd0a5c384ee1493b1f5186a87139cac5df4087c134b49156847dbn;

/** DER INTEGER's content. */
const int = (value: bigint): string => {
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return Number.parseInt(even.slice(0, 2), 16) > 127 ? `00${even}` : even;
};
const tlv = (tag: string, content: string): string =>
  `${tag}${(content.length / 2).toString(16).padStart(2, '0')}${content}`;
const sequence = (r: string, s: string): string => tlv('30', tlv('02', r) + tlv('02', s));
const VALID = sequence(int(R), int(S));

it.each([
  ['valid', VALID, true],
  ['the other s of the same signature', sequence(int(R), int(N - S)), true],
  ['r + n', sequence(int(R + N), int(S)), false],
  ['s + n', sequence(int(R), int(S + N)), false],
  ['r - n, negative', sequence(`ff${(2n ** 256n + R - N).toString(16).padStart(64, '0')}`, int(S)), false],
  ['r = 0', sequence('00', int(S)), false],
  ['s = 0', sequence(int(R), '00'), false],
  ['r = 0, s = 0', sequence('00', '00'), false],
  ['r = 1', sequence('01', int(S)), false],
  ['r = n, s = n', sequence(int(N), int(N)), false],
  ['r and s changed over', sequence(int(S), int(R)), false],
  ['one bit of s', sequence(int(R), int(S ^ 1n)), false],
  ['no r', tlv('30', tlv('02', int(S))), false],
  ['an empty sequence', '3000', false],
  ['a long form of the length', `3081${VALID.slice(2)}`, false],
  ['an indefinite length', `3080${VALID.slice(4)}0000`, false],
  ['r with a zero before it', sequence(`00${int(R)}`, int(S)), false],
  ['bytes behind it', `${VALID}0000`, false],
  ['a NULL within it', tlv('30', `${tlv('02', int(R))}${tlv('02', int(S))}0500`), false],
  ['another tag', `31${VALID.slice(2)}`, false],
  ['plain r and s', R.toString(16).padStart(64, '0') + S.toString(16), false],
  ['cut off', VALID.slice(0, -2), false],
  ['empty', '', false],
])('a P-256 signature: %s', (_what, hex, valid) => {
  expect(key.verify(MESSAGE, Buffer.from(hex, 'hex'))).toBe(valid);
  expect(key.verify(Buffer.from('other'), Buffer.from(hex, 'hex'))).toBe(false);
});

/** secure-systems-lab/dsse, protocol.md, "Test Vectors". */
test('what a DSSE envelope signs is type and payload behind their lengths', async () => {
  let signed = '';
  await bundles.signEnvelope(Buffer.from('hello world'), 'http://example.com/HelloWorld', {
    keyId: key.keyId,
    publicKey: key.publicKey,
    sign: (bytes) => {
      signed = Buffer.from(bytes).toString();
      return Promise.resolve(Buffer.from('00', 'hex'));
    },
  });
  expect(signed).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
});

/** RFC 8785, sections 3.2.2 and 3.2.3, and numbers of its appendix B. */
it.each([
  [
    String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  ],
  [
    String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
    '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
  ],
  [
    '[-0, 5e-324, 9007199254740993, 1.7976931348623157e308]',
    '[0,5e-324,9007199254740992,1.7976931348623157e+308]',
  ],
])('canonical JSON of %j', (text, wanted) => {
  expect(canonicalize(JSON.parse(text))).toBe(wanted);
});
