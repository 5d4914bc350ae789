/**
 * Archives in the ustar format (POSIX.1-1988, pax "ustar interchange format"), which every tar reads. Small ones, whole in
 * memory; always the same bytes for the same files.
 */

import { XcError } from '../../core/errors/xc-error.ts';

const BLOCK = 512;
const NAME_BYTES = 100;
/** More than any bundle of ours has. */
const MOST_FILES = 10_000;

const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`;

const checksumOf = (header: Buffer): number => {
  let sum = 0;
  // The checksum's own field counts as spaces.
  for (const [at, byte] of header.entries()) sum += at >= 148 && at < 156 ? 0x20 : byte;
  return sum;
};

const headerOf = (name: string, size: number): Buffer => {
  const header = Buffer.alloc(BLOCK);
  if (Buffer.byteLength(name) > NAME_BYTES) throw new RangeError(`${name} is longer than ustar holds`);
  header.write(name, 0);
  header.write(octal(0o644, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(size, 12), 124);
  header.write(octal(0, 12), 136);
  header.write('0', 156);
  header.write('ustar\0', 257);
  header.write('00', 263);
  header.write(`${checksumOf(header).toString(8).padStart(6, '0')}\0 `, 148);
  return header;
};

/** Files in the order of the map. */
export const packTar = (files: ReadonlyMap<string, Uint8Array>): Buffer => {
  const parts: Buffer[] = [];
  for (const [name, bytes] of files) {
    const rest = (BLOCK - (bytes.length % BLOCK)) % BLOCK;
    parts.push(headerOf(name, bytes.length), Buffer.from(bytes), Buffer.alloc(rest));
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
};

/** @throws XcError XC-1409 for what is no archive of plain files */
export const unpackTar = (archive: Buffer, subject: string): Map<string, Buffer> => {
  const refuse = (why: string): XcError => new XcError('XC-1409', { subject, why });
  const files = new Map<string, Buffer>();
  let at = 0;
  for (;;) {
    const header = archive.subarray(at, at + BLOCK);
    if (header.length < BLOCK) throw refuse('it is cut off');
    if (header.every((byte) => byte === 0)) break;
    const text = (from: number, length: number): string =>
      header.toString('utf8', from, from + length).replace(/\0.*$/s, '');
    if (!text(257, 6).startsWith('ustar')) throw refuse('it is no ustar archive');
    if (Number.parseInt(text(148, 8), 8) !== checksumOf(header)) throw refuse('a header is damaged');
    const name = text(0, NAME_BYTES);
    const size = Number.parseInt(text(124, 12), 8);
    if (text(156, 1) !== '0' || !isPlain(name) || files.has(name) || !(size >= 0))
      throw refuse(`${JSON.stringify(name)} is not a plain file of it`);
    const bytes = archive.subarray(at + BLOCK, at + BLOCK + size);
    if (bytes.length < size) throw refuse('it is cut off');
    if (files.size >= MOST_FILES) throw refuse(`it has more than ${MOST_FILES} files`);
    files.set(name, bytes);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
};

/** Neither absolute nor above: whoever unpacks it with another tool is not surprised. */
const isPlain = (name: string): boolean =>
  name !== '' &&
  !name.startsWith('/') &&
  name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
