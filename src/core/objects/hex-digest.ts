/** A sha256 as objects and manifests carry it: 64 lower-case hex digits. */

export type HexDigest = string & { readonly __hexDigest: never };

export const asHexDigest = (text: string): HexDigest | null =>
  /^[0-9a-f]{64}$/.test(text) ? (text as HexDigest) : null;
