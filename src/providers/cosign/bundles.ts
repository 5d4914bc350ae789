/**
 * sigstore bundles ("application/vnd.dev.sigstore.bundle.v0.3+json") around signatures by keys that are given: no
 * certificate, no transparency log, no call to anybody. Built and verified by sigstore's own libraries.
 */

import { createHash, createPublicKey } from 'node:crypto';
import {
  BUNDLE_V01_MEDIA_TYPE,
  BUNDLE_V02_MEDIA_TYPE,
  BUNDLE_V03_LEGACY_MEDIA_TYPE,
  BUNDLE_V03_MEDIA_TYPE,
  bundleFromJSON,
  bundleToJSON,
  isBundleWithDsseEnvelope,
  toDSSEBundle,
  toMessageSignatureBundle,
  type Bundle,
} from '@sigstore/bundle';
import { dsse } from '@sigstore/core';
import { toSignedEntity, Verifier } from '@sigstore/verify';
import { XcError } from '../../core/errors/xc-error.ts';
import type { Bundles, PublicKey, Verified } from '../../core/signing/signing.ts';

export const bundles: Bundles = {
  async signBlob(blob, signer) {
    const digest = createHash('sha256').update(blob).digest();
    const signature = Buffer.from(await signer.sign(blob));
    return textOf(toMessageSignatureBundle({ digest, signature, keyHint: signer.keyId }));
  },
  async signEnvelope(payload, payloadType, signer) {
    const artifact = Buffer.from(payload);
    const signature = Buffer.from(await signer.sign(dsse.preAuthEncoding(payloadType, artifact)));
    return textOf(toDSSEBundle({ artifact, artifactType: payloadType, signature, keyHint: signer.keyId }));
  },
  // eslint-disable-next-line @typescript-eslint/require-await -- a service may be asked one day
  async verify(text, blob, keys) {
    try {
      return verified(parse(text), blob, keys);
    } catch (error) {
      if (error instanceof XcError) throw error;
      throw new XcError('XC-2030', {
        why: error instanceof Error ? error.message : String(error),
        cause: error,
      });
    }
  },
};

const MEDIA_TYPES = new Set([
  BUNDLE_V01_MEDIA_TYPE,
  BUNDLE_V02_MEDIA_TYPE,
  BUNDLE_V03_LEGACY_MEDIA_TYPE,
  BUNDLE_V03_MEDIA_TYPE,
]);

const textOf = (bundle: Bundle): string => `${JSON.stringify(bundleToJSON(bundle))}\n`;

const parse = (text: string): Bundle => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new XcError('XC-2030', { why: 'it is no JSON', cause: error });
  }
  const bundle = bundleFromJSON(json);
  if (!MEDIA_TYPES.has(bundle.mediaType))
    throw new XcError('XC-2030', { why: `${bundle.mediaType} is no bundle that this version knows` });
  return bundle;
};

const verified = (bundle: Bundle, blob: Uint8Array | null, keys: readonly PublicKey[]): Verified => {
  if (!isBundleWithDsseEnvelope(bundle) && blob === null)
    throw new XcError('XC-2030', { why: 'it signs a blob, and none is given' });
  let signedBy = '';
  const verifier = new Verifier(
    {
      certificateAuthorities: [],
      timestampAuthorities: [],
      tlogs: [],
      ctlogs: [],
      publicKey: (hint) => {
        const key = keys.find(({ keyId }) => keyId === hint);
        if (!key)
          throw new XcError('XC-2042', { why: `no known key has the id ${hint === '' ? '(none)' : hint}` });
        signedBy = key.keyId;
        return { publicKey: createPublicKey(key.publicKey), validFor: () => true };
      },
    },
    // A key that was given by hand needs no log to vouch for it.
    { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 },
  );
  verifier.verify(toSignedEntity(bundle, blob === null ? undefined : Buffer.from(blob)));
  if (!isBundleWithDsseEnvelope(bundle)) return { keyId: signedBy, payload: blob!, payloadType: null };
  const { payload, payloadType } = bundle.content.dsseEnvelope;
  if (blob !== null && !Buffer.from(blob).equals(payload))
    throw new XcError('XC-2030', { why: 'the envelope holds something else than what is given' });
  return { keyId: signedBy, payload, payloadType };
};
