/**
 * Keys as paths below a directory, and back. Every part of a key is the name of a directory or file as it stands; only
 * parts that cannot be a name (`a//b`, `dir/`, `..`), or that are ours, are written as `%~` and hex.
 */

import { Buffer } from 'node:buffer';

/** Where the store keeps what is not an object: files that are being written, and what is known of the others. */
export const OWN_DIRECTORY = '.xcrepl';

const MARK = '%~';

const cannotBeName = (part: string): boolean =>
  part === '' || part === '.' || part === '..' || part.startsWith(OWN_DIRECTORY) || part.startsWith(MARK);

export const pathOf = (key: string): string =>
  key
    .split('/')
    .map((part) => (cannotBeName(part) ? MARK + Buffer.from(part).toString('hex') : part))
    .join('/');

/** The part of a key that a directory's entry stands for. */
export const partOf = (name: string): string =>
  name.startsWith(MARK) ? Buffer.from(name.slice(MARK.length), 'hex').toString() : name;
