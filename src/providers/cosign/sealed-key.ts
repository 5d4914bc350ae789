/**
 * Private keys in cosign's file format: PEM around JSON that names scrypt's parameters, and a nacl secretbox around
 * PKCS#8 (cosign, doc KEYS; go-securesystemslib, package encrypted). What the file asks of scrypt is bounded before use.
 */

import { createPrivateKey, randomBytes, scrypt, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import nacl from 'tweetnacl';
import * as z from 'zod/mini';
import { XcError } from '../../core/errors/xc-error.ts';

const LABEL = 'ENCRYPTED SIGSTORE PRIVATE KEY';
const PEM =
  /^-----BEGIN ENCRYPTED (SIGSTORE|COSIGN) PRIVATE KEY-----\n([A-Za-z0-9+/=\n]+)-----END ENCRYPTED \1 PRIVATE KEY-----\n*$/;

/** What `cosign generate-key-pair` writes: about 64 MiB and a quarter of a second. */
const SCRYPT = { N: 65_536, r: 8, p: 1 } as const;
/** 128 · N · r bytes (RFC 7914, section 5); sixteen times what cosign asks for. */
const MAX_SCRYPT_BYTES = 2 ** 30;
const MAX_P = 16;
const SALT_BYTES = 32;
const KEY_BYTES = nacl.secretbox.keyLength;

const derive = promisify<
  string | Buffer,
  Buffer,
  number,
  { N: number; r: number; p: number; maxmem: number },
  Buffer
>(scrypt);

const base64 = z.pipe(
  z.string().check(z.regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/)),
  z.transform((text) => Buffer.from(text, 'base64')),
);
const bytesOf = (length: number) => base64.check(z.refine((bytes) => bytes.length === length));

const sealedSchema = z.object({
  kdf: z.object({
    name: z.literal('scrypt'),
    params: z.object({ N: z.int(), r: z.int(), p: z.int() }),
    salt: bytesOf(SALT_BYTES),
  }),
  cipher: z.object({ name: z.literal('nacl/secretbox'), nonce: bytesOf(nacl.secretbox.nonceLength) }),
  ciphertext: base64,
});

/** @param pem text of the file; @param path names it in errors. @throws XcError XC-1401, XC-1402, XC-4010 */
export const openKey = async (pem: string, passphrase: string, path: string): Promise<KeyObject> => {
  const sealed = parse(pem.replaceAll('\r\n', '\n'), path);
  const { params, salt } = sealed.kdf;
  refuseCosts(params, path);
  const key = await derive(passphrase, salt, KEY_BYTES, { ...params, maxmem: MAX_SCRYPT_BYTES + 2 ** 20 });
  const opened = nacl.secretbox.open(sealed.ciphertext, sealed.cipher.nonce, key);
  if (opened === null)
    throw new XcError('XC-4010', { subject: path, why: 'the passphrase does not open it' });
  return keyOf(Buffer.from(opened), path);
};

/** The key as a file of mode 600 should hold it. @param costs of scrypt; less than cosign's only for what is no secret */
export const sealKey = async (
  key: KeyObject,
  passphrase: string,
  costs: { readonly N: number; readonly r: number; readonly p: number } = SCRYPT,
): Promise<string> => {
  const plain = key.export({ format: 'der', type: 'pkcs8' });
  const [salt, nonce] = [randomBytes(SALT_BYTES), randomBytes(nacl.secretbox.nonceLength)];
  const sealing = await derive(passphrase, salt, KEY_BYTES, { ...costs, maxmem: MAX_SCRYPT_BYTES });
  const json = JSON.stringify({
    kdf: { name: 'scrypt', params: costs, salt: salt.toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: Buffer.from(nacl.secretbox(plain, nonce, sealing)).toString('base64'),
  });
  const lines =
    Buffer.from(json)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${LABEL}-----\n${lines.join('\n')}\n-----END ${LABEL}-----\n`;
};

const parse = (pem: string, path: string): z.output<typeof sealedSchema> => {
  const body = PEM.exec(pem.trimStart())?.[2];
  if (body === undefined)
    throw new XcError(
      /^-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem.trimStart()) && !/-----END /.test(pem)
        ? 'XC-1408'
        : 'XC-1401',
      {
        subject: path,
        why: `it is no whole "${LABEL}" in PEM`,
      },
    );
  try {
    return sealedSchema.parse(JSON.parse(Buffer.from(body, 'base64').toString()));
  } catch (error) {
    throw new XcError('XC-1401', {
      subject: path,
      why: 'what the PEM holds is not cosign’s JSON',
      cause: error,
    });
  }
};

const refuseCosts = ({ N, r, p }: { N: number; r: number; p: number }, path: string): void => {
  const powerOfTwo = N > 1 && 2 ** Math.round(Math.log2(N)) === N;
  if (powerOfTwo && r >= 1 && p >= 1 && p <= MAX_P && 128 * N * r <= MAX_SCRYPT_BYTES) return;
  throw new XcError('XC-1402', { subject: path, why: `it asks for scrypt with N ${N}, r ${r}, p ${p}` });
};

const keyOf = (der: Buffer, path: string): KeyObject => {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } catch (error) {
    throw new XcError('XC-1401', { subject: path, why: 'what it seals is no PKCS#8 key', cause: error });
  }
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType === 'ec' && curve === 'prime256v1') return key;
  throw new XcError('XC-1407', {
    subject: path,
    why: `its key is ${curve ?? key.asymmetricKeyType ?? 'unknown'}; only NIST P-256 is taken`,
  });
};
