/**
 * Keys, signatures and bundles, checked from outside: key files of cosign's own tests open, openssl verifies what is
 * signed here, and whatever is changed is refused.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundles } from './bundles.ts';
import { openKey, sealKey } from './sealed-key.ts';
import { publicKeyOf, signerOf } from './signing-key.ts';

/** Key files of sigstore/cosign, pkg/cosign/keys_test.go; their passphrase is "hello". */
const COSIGN_KEY = `-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjozMjc2OCwiciI6
OCwicCI6MX0sInNhbHQiOiJ4WWdoc09JTUxUWGNOT0RsclNIOUNKc1FlOVFnZmN1
cmUrMXlLdHh1TlkwPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
Iiwibm9uY2UiOiI0cS9PSlVmaXJkSUkrUjZ0ajZBMmcyQ0JqL25xdFNicCJ9LCJj
aXBoZXJ0ZXh0IjoiKzB4Q3NzcFN0WStBczdKanJpOWtsbHBWd2JhcUI4ZWJNdWto
eS9aVE1MSXRsL3B1YS9jWVJvbytLRGxMWWdmOW1kSjk4K1FnQW9oTktoYnJPMTcw
MHdBY1JTMjFDOE4zQUNJRUVZaWpOMllBNnMraGJSbkhjUnd4eGhDMDFtb2FvL0dO
Y1pmbEJheXZMV3pXblo4d2NDZ2ZpT1o1VXlRTEFJMHh0dnR6dEh3cTdDV1Vhd3V4
RlhlNDZzck9TUE9SNHN6bytabWErUGovSFE9PSJ9
-----END ENCRYPTED COSIGN PRIVATE KEY-----`;
const COSIGN_SEC1 = `-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6
OCwicCI6MX0sInNhbHQiOiJHK3F5WTYrNzhNS0JzMXNGTGs1ajYwcS9kS3Z1czBW
VkhlSHZybC9POTF3PSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
Iiwibm9uY2UiOiJRc2JGdG13WDRDK2ttV3ZCcVRaMEFGOUFYdk1jRmg1SCJ9LCJj
aXBoZXJ0ZXh0IjoiREM5T28zeldiYVQzSXYwdFVnWEdycjUxYW1samwwNlQ5MTNP
VkxPbWpuMWhnK2o2WXRUbWg3SGhZSlY1N2J5eGE0Q281bE9YYmRqbTJ3aklubEd1
Um5aZCt5OExnekpSNzFSeEhKVzgrWmRlcFJmYWJMTjdHbDgrSFZEcERVQ3NxQnRh
VngyblpGbFEwWUl1anZwbFphblNGaUVvdERLVGkxZ3VhUXIwUHNzYU01NXZxbTRY
WS9rPSJ9
-----END ENCRYPTED COSIGN PRIVATE KEY-----`;

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const signer = signerOf(privateKey);
const key = publicKeyOf(signer.publicKey, 'cosign.pub');

/** The JSON inside a sealed key, changed. */
const changed = (pem: string, change: (json: Record<string, object>) => object): string => {
  const body = Buffer.from(pem.replaceAll(/-----.*-----|\n/g, ''), 'base64').toString();
  const json = Buffer.from(JSON.stringify(change(JSON.parse(body) as Record<string, object>))).toString(
    'base64',
  );
  return `-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n${json}\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n`;
};

test('key files that cosign sealed are opened', async () => {
  const opened = await openKey(COSIGN_KEY, 'hello', 'cosign.key');
  expect(opened.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  // Sealed as SEC1, which cosign refuses as well.
  await expect(openKey(COSIGN_SEC1, 'hello', 'cosign.key')).rejects.toMatchObject({
    code: 'XC-1401',
    why: expect.stringContaining('PKCS#8') as string,
  });
  await expect(openKey(COSIGN_SEC1, 'wrong', 'cosign.key')).rejects.toMatchObject({ code: 'XC-4010' });
});

test('a key is sealed and opened, with its passphrase alone', async () => {
  const pem = await sealKey(privateKey, 'correct horse');
  expect(pem).toMatch(/^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n(.{64}\n)+/);
  const opened = await openKey(pem, 'correct horse', 'k');
  expect(opened.equals(privateKey)).toBe(true);
  await expect(openKey(pem, 'incorrect', 'k')).rejects.toMatchObject({ code: 'XC-4010' });
  const windows = await openKey(pem.replaceAll('\n', '\r\n'), 'correct horse', 'k');
  expect(windows.equals(privateKey)).toBe(true);
});

test('what is no key file, or asks for too much, is told apart', async () => {
  const pem = await sealKey(privateKey, 'x');
  const malformed = [
    '',
    pem.replace('ENCRYPTED', ''),
    changed(pem, () => ({})),
    changed(pem, (json) => ({ ...json, ciphertext: '!' })),
    changed(pem, (json) => ({ ...json, cipher: { name: 'nacl/secretbox', nonce: 'AAAA' } })),
    privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  ];
  for (const text of malformed)
    await expect(openKey(text, 'x', 'bad.key'), text).rejects.toMatchObject({
      code: 'XC-1401',
      subject: 'bad.key',
    });
  await expect(openKey(pem.slice(0, 200), 'x', 'cut.key')).rejects.toMatchObject({ code: 'XC-1408' });
  for (const params of [
    { N: 2 ** 30, r: 8, p: 1 },
    { N: 65_536, r: 2 ** 20, p: 1 },
    { N: 65_536, r: 8, p: 10_000 },
    { N: 65_537, r: 8, p: 1 },
    { N: 0, r: 0, p: 0 },
  ]) {
    const huge = changed(pem, (json) => ({ ...json, kdf: { ...json['kdf'], params } }));
    await expect(openKey(huge, 'x', 'huge.key')).rejects.toMatchObject({ code: 'XC-1402' });
  }
  const other = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  await expect(openKey(await sealKey(other.privateKey, 'x'), 'x', 'k')).rejects.toMatchObject({
    code: 'XC-1407',
    why: expect.stringContaining('secp384r1') as string,
  });
  const otherPem = other.publicKey.export({ format: 'pem', type: 'spki' }).toString();
  expect(() => publicKeyOf(otherPem, 'k')).toThrow(expect.objectContaining({ code: 'XC-1407' }));
  expect(() => publicKeyOf('nothing', 'k')).toThrow(expect.objectContaining({ code: 'XC-1401' }));
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

test.skipIf(!hasOpenssl)('openssl verifies a signature (needs openssl)', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'xcrepl-sign-'));
  try {
    const [blob, signature, pem] = ['blob', 'signature', 'pub.pem'].map((name) => join(directory, name));
    writeFileSync(blob!, 'what is signed');
    writeFileSync(signature!, await signer.sign(Buffer.from('what is signed')));
    writeFileSync(pem!, signer.publicKey);
    const said = execFileSync('openssl', [
      'dgst',
      '-sha256',
      '-verify',
      pem!,
      '-signature',
      signature!,
      blob!,
    ]);
    expect(said.toString()).toContain('Verified OK');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a blob’s bundle names its key, and holds for that blob alone', async () => {
  const blob = Buffer.from('{"schemaVersion":1}');
  const bundle = await bundles.signBlob(blob, signer);
  expect(JSON.parse(bundle)).toMatchObject({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: signer.keyId } },
    messageSignature: { messageDigest: { algorithm: 'SHA2_256' } },
  });
  expect(await bundles.verify(bundle, blob, [key])).toEqual({
    keyId: signer.keyId,
    payload: blob,
    payloadType: null,
  });
  const other = publicKeyOf(
    signerOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey).publicKey,
    'k',
  );
  const flipped = JSON.parse(bundle) as { messageSignature: { signature: string } };
  flipped.messageSignature.signature = (await bundles.signBlob(Buffer.from('other'), signer)).match(
    /"signature":"([^"]+)"/,
  )![1]!;
  for (const [text, given, keys] of [
    [bundle, Buffer.from('{"schemaVersion":2}'), [key]],
    [bundle, null, [key]],
    [JSON.stringify(flipped), blob, [key]],
    ['{}', blob, [key]],
    ['not json', blob, [key]],
    [bundle.replace('v0.3', 'v9.9'), blob, [key]],
  ] as const)
    await expect(bundles.verify(text, given, keys), text).rejects.toMatchObject({ code: 'XC-2030' });
  for (const keys of [[other], []])
    await expect(bundles.verify(bundle, blob, keys)).rejects.toMatchObject({ code: 'XC-2042' });
});

test('an envelope holds its payload and type, and both are signed', async () => {
  const payload = Buffer.from('{"_type":"https://in-toto.io/Statement/v1"}');
  const type = 'application/vnd.in-toto+json';
  const bundle = await bundles.signEnvelope(payload, type, signer);
  expect(await bundles.verify(bundle, null, [key])).toMatchObject({ keyId: signer.keyId, payloadType: type });
  expect(Buffer.from((await bundles.verify(bundle, payload, [key])).payload)).toEqual(payload);
  const parsed = JSON.parse(bundle) as { dsseEnvelope: { payload: string; payloadType: string } };
  for (const envelope of [
    { ...parsed.dsseEnvelope, payload: Buffer.from('{}').toString('base64') },
    { ...parsed.dsseEnvelope, payloadType: 'text/plain' },
    { ...parsed.dsseEnvelope, signatures: [] },
  ])
    await expect(
      bundles.verify(JSON.stringify({ ...parsed, dsseEnvelope: envelope }), null, [key]),
    ).rejects.toMatchObject({ code: 'XC-2030' });
  await expect(bundles.verify(bundle, Buffer.from('{}'), [key])).rejects.toMatchObject({ code: 'XC-2030' });
});
