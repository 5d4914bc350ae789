/** Keys in memory, for signatures that cosign, openssl and sigstore's libraries verify. */

import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { XcError } from '../../core/errors/xc-error.ts';
import type { NoteSigner, NoteVerifier } from '../../core/audit/note.ts';
import type { PublicKey, Signer } from '../../core/signing/signing.ts';

const spkiOf = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' });

const hashOf = (key: KeyObject): Buffer => createHash('sha256').update(spkiOf(key)).digest();

export const signerOf = (privateKey: KeyObject): Signer => {
  const publicKey = createPublicKey(privateKey);
  return {
    keyId: hashOf(publicKey).toString('base64'),
    publicKey: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    sign: (bytes) => Promise.resolve(sign('sha256', bytes, privateKey)),
  };
};

/** @param path names the key in errors. @throws XcError XC-1401 for what is no P-256 public key in PEM */
export const publicKeyOf = (pem: string, path: string): PublicKey => {
  const key = parse(pem, path);
  return {
    keyId: hashOf(key).toString('base64'),
    publicKey: key.export({ format: 'pem', type: 'spki' }).toString(),
    verify: (bytes, signature) => verify('sha256', bytes, key, signature),
  };
};

const parse = (pem: string, path: string): KeyObject => {
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (error) {
    throw new XcError('XC-1401', { subject: path, why: 'it is no public key in PEM', cause: error });
  }
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === 'prime256v1') return key;
  throw new XcError('XC-1407', {
    subject: path,
    why: `its key is ${curve ?? key.asymmetricKeyType ?? 'unknown'}; only NIST P-256 is taken`,
  });
};

/** Key ids in notes are the first four bytes of the hash (C2SP signed-note, signature type 0x02). */
const KEY_ID_BYTES = 4;

const noteKeyId = (keyId: string): Buffer => Buffer.from(keyId, 'base64').subarray(0, KEY_ID_BYTES);

export const noteSigner = (name: string, signer: Signer): NoteSigner => ({
  name,
  keyId: noteKeyId(signer.keyId),
  sign: (text) => signer.sign(text),
});

export const noteVerifier = (name: string, key: PublicKey): NoteVerifier => ({
  name,
  keyId: noteKeyId(key.keyId),
  verify: (text, signature) => key.verify(text, signature),
});
