/** One object from the source to the target: inside the cloud where that can be, in parts where it is large, else in one go. */

import { createHash } from 'node:crypto';
import type { HexDigest } from '../objects/hex-digest.ts';
import type { ObjectInfo, Precondition } from '../objects/object-store.ts';
import { resumedRead } from '../objects/resumed-read.ts';
import { copyInParts, paced } from './copy-parts.ts';
import { versionMark } from './decide.ts';
import { SOURCE_MARK } from './entry.ts';
import { patienceOf, type MirrorPorts } from './ports.ts';
import { prove, type Proof } from './prove.ts';

export type Way = 'server' | 'stream' | 'parts';

export interface Copied {
  readonly way: Way;
  readonly proof: Proof;
  readonly info: ObjectInfo;
  readonly sha256: HexDigest;
  /** That passed through here. */
  readonly bytesSent: number;
}

/**
 * @param from the source's object, with its metadata
 * @param key of the target, whole
 * @throws XcError XC-5402 where either side was changed meanwhile, XC-5403 where the bytes are not those that were
 * recorded, or the target does not hold what was sent
 */
export const copyObject = async (
  ports: MirrorPorts,
  from: ObjectInfo,
  key: string,
  when: Precondition,
): Promise<Copied> =>
  (await onTheServer(ports, from, key, when)) ??
  (from.bytes >= ports.parts.fromBytes && ports.target.parts
    ? await inParts(ports, from, key, when)
    : await inOneGo(ports, from, key, when));

/** Null where the store cannot, or nobody recorded what the bytes should be: then they have to pass through here. */
const onTheServer = async (
  ports: MirrorPorts,
  from: ObjectInfo,
  key: string,
  when: Precondition,
): Promise<Copied | null> => {
  const { source, target, pace } = ports;
  if (!target.copyFrom || source.kind !== target.kind || from.sha256 === null) return null;
  const info = await target.copyFrom({ store: source, info: from }, key, { when });
  if (info === null) return null;
  // They left the source's region, though not through here.
  await pace(from.bytes);
  const md5 = /^[0-9a-f]{32}$/.test(from.version) ? from.version : null;
  const { sha256 } = from;
  const proof = await prove(target, info, { bytes: from.bytes, sha256, md5 }, ports);
  return { way: 'server', proof, info, sha256, bytesSent: 0 };
};

const inParts = async (
  ports: MirrorPorts,
  from: ObjectInfo,
  key: string,
  when: Precondition,
): Promise<Copied> => {
  const { info, sha256, bytesSent } = await copyInParts(ports, ports.target.parts!, from, key, when);
  const expected = { bytes: from.bytes, sha256: from.sha256 ?? sha256, md5: null };
  const proof = await prove(ports.target, info, expected, ports);
  return { way: 'parts', proof, info, sha256, bytesSent };
};

const inOneGo = async (
  ports: MirrorPorts,
  from: ObjectInfo,
  key: string,
  when: Precondition,
): Promise<Copied> => {
  const { mirror, source, target, pace } = ports;
  const sha = createHash('sha256');
  const md5 = target.kind === 's3' ? createHash('md5') : null;
  const body = (async function* () {
    for await (const piece of paced(resumedRead(source, from, patienceOf(ports)), pace)) {
      sha.update(piece);
      md5?.update(piece);
      yield piece;
    }
  })();
  const info = await target.write(key, body, {
    when,
    bytes: from.bytes,
    metadata: { ...from.metadata, [SOURCE_MARK]: versionMark(mirror, from.version) },
    ...(from.sha256 === null ? {} : { sha256: from.sha256 }),
  });
  const sha256 = sha.digest('hex') as HexDigest;
  const expected = { bytes: from.bytes, sha256, md5: md5?.digest('hex') ?? null };
  return {
    way: 'stream',
    proof: await prove(target, info, expected, ports),
    info,
    sha256,
    bytesSent: from.bytes,
  };
};
