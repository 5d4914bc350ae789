/**
 * Signing and verifying as the rest of the program sees it: a key of NIST P-256, signatures as ASN.1 DER over SHA-256,
 * and key ids that anybody can compute from the public key.
 */

/** Signs with a key of its own; the key may lie in a file, or in a service that never gives it away. */
export interface Signer {
  /** base64 of the SHA-256 of the public key as DER SubjectPublicKeyInfo: what bundles carry as their key hint. */
  readonly keyId: string;
  /** SubjectPublicKeyInfo as PEM. */
  readonly publicKey: string;
  /** ECDSA over the SHA-256 of the bytes, as ASN.1 DER. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

export interface PublicKey {
  readonly keyId: string;
  readonly publicKey: string;
  verify(bytes: Uint8Array, signature: Uint8Array): boolean;
}

/** What a verified bundle says, and who said it. */
export interface Verified {
  readonly keyId: string;
  readonly payload: Uint8Array;
  /** Of a DSSE envelope; null where a blob was signed. */
  readonly payloadType: string | null;
}

/** sigstore bundles, version 0.3, made and verified offline. */
export interface Bundles {
  /** As `cosign sign-blob --bundle` makes it, without a log. */
  signBlob(blob: Uint8Array, signer: Signer): Promise<string>;
  /** An in-toto statement or another payload in a DSSE envelope. */
  signEnvelope(payload: Uint8Array, payloadType: string, signer: Signer): Promise<string>;
  /**
   * @param blob what was signed, where the bundle holds only its digest
   * @throws XcError XC-2030 where the bundle does not verify under one of these keys
   */
  verify(bundle: string, blob: Uint8Array | null, keys: readonly PublicKey[]): Promise<Verified>;
}
