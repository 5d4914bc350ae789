/** Names of metadata are C# identifiers at Azure, so a hyphen is written as an underscore. */

import { fromHeaders, toHeaders } from '../../core/objects/metadata.ts';
import type { HexDigest } from '../../core/objects/hex-digest.ts';
import type { Precondition } from '../../core/objects/object-store.ts';

const renamed = (
  pairs: Readonly<Record<string, string | undefined>>,
  from: string,
  to: string,
): Record<string, string> =>
  Object.fromEntries(Object.entries(pairs).map(([name, value]) => [name.replaceAll(from, to), value ?? '']));

export const toAzure = (
  metadata: Readonly<Record<string, string>> | undefined,
  sha256: HexDigest | null,
): Record<string, string> => renamed(toHeaders(metadata, sha256), '-', '_');

export const fromAzure = (metadata: Readonly<Record<string, string>> | undefined) =>
  fromHeaders(renamed(metadata ?? {}, '_', '-'));

/** Headers carry ETags in quotation marks, listings do not. */
export const unquoted = (etag: string | undefined): string => etag?.replace(/^"(.*)"$/, '$1') ?? '';

export const conditionsOf = (
  when: Precondition | undefined,
): { readonly ifNoneMatch?: '*'; readonly ifMatch?: string } => {
  if (when === undefined) return {};
  return when.kind === 'absent' ? { ifNoneMatch: '*' } : { ifMatch: `"${when.version}"` };
};
