/** What a mirror does with one key, and what is known of it on both sides. */

import type { HexDigest } from '../objects/hex-digest.ts';

/** Keys below this are the program's own, in every store: manifests, leases, uploads under way, anchors of the audit log. Never mirrored. */
export const OWN_PREFIX = 'xcrepl/';

/** Metadata of a copied object: from which version of the source's object it was made, as `versionMark` writes it. */
export const SOURCE_MARK = 'xcrepl-source';

/**
 * - `copy`: only the source has it
 * - `replace`: size or sha256 differ
 * - `delete`: only the target has it
 * - `same`: size and sha256 are equal
 * - `unknown`: equal in size, and nobody recorded the digest of one side
 */
export const ACTIONS = ['copy', 'replace', 'delete', 'same', 'unknown'] as const;
export type Action = (typeof ACTIONS)[number];

export interface Side {
  readonly bytes: number;
  /** Opaque; names this content of this key in its store. */
  readonly version: string;
  /** Milliseconds since the Unix epoch, by the store's clock. */
  readonly modifiedAtMs: number;
  /** As it was recorded with the object, or in the last manifest for this very version. */
  readonly sha256: HexDigest | null;
}

export interface Entry {
  readonly action: Action;
  /** Below the prefixes of both ends, and so the same at both. */
  readonly key: string;
  readonly source: Side | null;
  readonly target: Side | null;
  /** Of `same`: whether the last manifest says that this version of the target was proven to hold these bytes. */
  readonly proven: boolean;
}

/** One line of a manifest: what the target was proven to hold. */
export interface ManifestEntry {
  readonly key: string;
  readonly bytes: number;
  readonly sha256: HexDigest;
  /** Version at the source that it was copied from or compared with. */
  readonly source: string;
  /** Version at the target that was proven. */
  readonly target: string;
}
