/** Makes proofs from the tiles of the log. */

import { resolve } from 'node:path';
import { consistencyProof, inclusionProof, treeRoot } from '../../core/audit/merkle.ts';
import { formatCheckpoint, type Checkpoint } from '../../core/audit/checkpoint.ts';
import { signNote } from '../../core/audit/note.ts';
import { formatProof, opened } from '../../core/audit/proof.ts';
import { nodesFromTiles } from '../../core/audit/tiles.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { readLog } from '../../providers/audit-files/open-log.ts';
import { writeDurably } from '../../providers/system/durable-file.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { findLog, type KnownLog } from './open.ts';
import { parseIndex } from './number.ts';

export interface ProveOptions {
  readonly consistency?: readonly string[] | undefined;
  readonly out?: string | undefined;
}

export const proveFromLog = async (
  host: Host,
  entry: number | undefined,
  { consistency, out }: ProveOptions,
): Promise<Outcome> => {
  const known = await findLog(host);
  if (!known) throw new XcError('XC-1006', { subject: 'audit log', why: 'there is none in this directory' });
  const head = await newestHead(known);
  if ((entry === undefined) === (consistency === undefined))
    throw new XcError('XC-1001', {
      subject: 'audit prove',
      why: 'give the number of an entry, or --consistency M N',
    });
  const proof =
    entry === undefined ? await grown(known, head, consistency!) : await included(known, head, entry);
  if (out !== undefined) await writeDurably(resolve(host.cwd, out), proof);
  return {
    document: { schemaVersion: 1, log: known.origin, size: head.checkpoint.size, out: out ?? null, proof },
    table: () => (out === undefined ? proof.trimEnd() : `wrote ${out}`),
  };
};

export interface Head {
  readonly note: string;
  readonly checkpoint: Checkpoint;
}

/** @throws XcError XC-5602 */
export const newestHead = async ({ path, keys }: KnownLog): Promise<Head> => {
  const note = await readLog(path).readCheckpoint();
  const checkpoint = note === null ? 'is missing' : opened(note, keys.verifiers);
  if (note === null || typeof checkpoint === 'string')
    throw new XcError('XC-5602', {
      subject: path,
      why: `the checkpoint ${typeof checkpoint === 'string' ? checkpoint : 'is missing'}`,
    });
  return { note, checkpoint };
};

/** Nodes of the tree of the checkpoint of that size. @throws XcError XC-5601 */
export const nodesOf = ({ path }: KnownLog, size: number) =>
  nodesFromTiles(size, async (tile) => {
    const bytes = await readLog(path).readTile(tile);
    if (bytes) return bytes;
    throw new XcError('XC-5601', { subject: path, why: `tile ${tile.level}/${tile.index} is missing` });
  });

/** The proof of one entry. @throws XcError XC-1004 for one that the checkpoint does not cover, XC-5601, XC-5603 */
export const included = async (
  known: KnownLog,
  { note, checkpoint }: Head,
  index: number,
): Promise<string> => {
  if (index >= checkpoint.size)
    throw new XcError('XC-1004', {
      subject: `entry ${index}`,
      why: `the newest checkpoint speaks of ${checkpoint.size} entries, numbered from 0`,
    });
  for await (const { bytes } of readLog(known.path).entries(index)) {
    const hashes = await inclusionProof(index, checkpoint.size, nodesOf(known, checkpoint.size));
    return formatProof({ kind: 'inclusion', index, entry: bytes, hashes, checkpoint: note });
  }
  throw new XcError('XC-5603', { subject: `entry ${index}`, why: 'it is not there' });
};

const grown = async (known: KnownLog, head: Head, sizes: readonly string[]): Promise<string> => {
  const [first, second] = sizes.map(parseIndex);
  if (sizes.length !== 2 || first! < 1 || first! > second! || second! > head.checkpoint.size)
    throw new XcError('XC-1004', {
      subject: `--consistency ${sizes.join(' ')}`,
      why: `two sizes of the log are expected, from 1 to ${head.checkpoint.size}, the smaller first`,
    });
  const node = nodesOf(known, head.checkpoint.size);
  const noteOf = async (size: number): Promise<string> =>
    size === head.checkpoint.size
      ? head.note
      : await signNote(formatCheckpoint({ origin: known.origin, size, root: await treeRoot(size, node) }), [
          known.keys.signer,
        ]);
  return formatProof({
    kind: 'consistency',
    hashes: await consistencyProof(first!, second!, node),
    from: await noteOf(first!),
    checkpoint: await noteOf(second!),
  });
};
