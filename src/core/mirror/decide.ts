/**
 * What is done with one key. Sizes, then sha256: from the listing, from the last manifest for the very version that is
 * listed, or from the object's metadata. A store's own checksum or ETag is never taken for a digest.
 */

import type { ObjectInfo } from '../objects/object-store.ts';
import { SOURCE_MARK, type Entry, type Side } from './entry.ts';
import type { Met } from './joined.ts';

/** Asks a store for one object's metadata, where its listing has none. */
export interface Look {
  source(key: string): Promise<ObjectInfo | null>;
  target(key: string): Promise<ObjectInfo | null>;
}

/** In the metadata of a copy: of which mirror, and from which version of the source's object. */
export const versionMark = (mirror: string, version: string): string => `${mirror}:${version}`;

export const decide = async (mirror: string, met: Met, look: Look): Promise<Entry> => {
  const { key, source, target } = met;
  if (source === null)
    return { action: 'delete', key, source: null, target: target && sideOf(target), proven: false };
  if (target === null) return { action: 'copy', key, source: sideOf(source), target: null, proven: false };
  const sides = (of: ObjectInfo, to: ObjectInfo) => ({ key, source: sideOf(of), target: sideOf(to) });
  if (source.bytes !== target.bytes) return { action: 'replace', ...sides(source, target), proven: false };
  const [knownSource, knownTarget] = [
    remembered(source, met.known?.source, met),
    remembered(target, met.known?.target, met),
  ];
  const proven = met.known?.target === target.version && knownTarget.sha256 === met.known.sha256;
  if (knownSource.sha256 !== null && knownTarget.sha256 !== null && proven)
    return {
      action: knownSource.sha256 === knownTarget.sha256 ? 'same' : 'replace',
      ...sides(knownSource, knownTarget),
      proven,
    };
  // Listed objects that changed meanwhile are taken as they are now.
  const [of, to] = [
    knownSource.sha256 === null ? ((await look.source(key)) ?? source) : knownSource,
    knownTarget.sha256 === null ? ((await look.target(key)) ?? target) : knownTarget,
  ];
  const both = { ...sides(of, to), proven };
  if (of.bytes !== to.bytes) return { action: 'replace', ...both };
  if (of.sha256 !== null && to.sha256 !== null)
    return { action: of.sha256 === to.sha256 ? 'same' : 'replace', ...both };
  // The copy says of which version it was made, and what its bytes are: so the source's are known too.
  if (to.sha256 !== null && to.metadata[SOURCE_MARK] === versionMark(mirror, of.version))
    return { action: 'same', ...both, source: { ...both.source, sha256: to.sha256 } };
  return { action: 'unknown', ...both };
};

/** With the digest that the manifest has for this very version. One that is recorded with the object goes first. */
const remembered = (info: ObjectInfo, version: string | undefined, { known }: Met): ObjectInfo =>
  info.sha256 === null && known !== null && version === info.version && known.bytes === info.bytes
    ? { ...info, sha256: known.sha256 }
    : info;

export const sideOf = ({ bytes, version, modifiedAtMs, sha256 }: ObjectInfo): Side => ({
  bytes,
  version,
  modifiedAtMs,
  sha256,
});
