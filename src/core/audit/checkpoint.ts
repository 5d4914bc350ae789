/** Checkpoints (C2SP tlog-checkpoint): origin, number of entries and root of the log, as the text of a signed note. */

import { Buffer } from 'node:buffer';
import { HASH_BYTES, type TreeHead } from './merkle.ts';

export interface Checkpoint extends TreeHead {
  /** Name of the log: "xcrepl/CONTROL-PLANE". */
  readonly origin: string;
}

export const formatCheckpoint = ({ origin, size, root }: Checkpoint): string =>
  `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;

/** Null where the text is none. Extension lines are passed over. */
export const parseCheckpoint = (text: string): Checkpoint | null => {
  const [origin = '', size = '', encoded = ''] = text.split('\n');
  const root = Buffer.from(encoded, 'base64');
  const leaves = Number(size);
  if (origin === '' || !/^(0|[1-9]\d*)$/.test(size) || !Number.isSafeInteger(leaves)) return null;
  if (root.length !== HASH_BYTES || root.toString('base64') !== encoded) return null;
  return { origin, size: leaves, root };
};
