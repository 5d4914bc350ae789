/** A part's bytes as lines of COPY's text format, gathered into pieces, with a digest of the rows that passed. */

import { Buffer } from 'node:buffer';
import { XcError } from '../errors/xc-error.ts';
import type { SnapshotFormat } from './manifest.ts';
import { copyLine, CsvRows, ndjsonFields } from './row-formats.ts';
import type { RowsDigest } from './rows-digest.ts';

type Bytes = AsyncIterable<Uint8Array>;

/** @throws XcError XC-5403 for a part that ends in the middle of a row */
export const linesOf = (
  format: SnapshotFormat,
  body: Bytes,
  columns: readonly string[],
  digest: RowsDigest,
): AsyncGenerator<Uint8Array> => {
  switch (format) {
    case 'copy':
      return wholeLines(body, digest);
    case 'csv':
      return wholeLines(fromCsv(body), digest);
    case 'ndjson':
      return wholeLines(fromNdjson(body, columns), digest);
  }
};

/** Pieces end where a line ends; a line of any length is kept until it is whole. */
async function* wholeLines(body: Bytes, digest: RowsDigest): AsyncGenerator<Uint8Array> {
  let rest = Buffer.alloc(0);
  for await (const piece of body) {
    const bytes = rest.length === 0 ? asBuffer(piece) : Buffer.concat([rest, piece]);
    let from = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, from)) {
      digest.add(bytes, from, end + 1);
      from = end + 1;
    }
    if (from > 0) yield bytes.subarray(0, from);
    rest = Buffer.from(bytes.subarray(from));
  }
  if (rest.length > 0) throw cutOff();
}

const cutOff = (): XcError => new XcError('XC-5403', { why: 'it ends in the middle of a row' });

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The first row names the columns. */
async function* fromCsv(body: Bytes): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder();
  const reader = new CsvRows();
  let isHead = true;
  for await (const piece of body) {
    const rows = reader.add(decoder.decode(piece, { stream: true }));
    if (isHead && rows.length > 0) {
      rows.shift();
      isHead = false;
    }
    if (rows.length > 0) yield Buffer.from(rows.map(copyLine).join(''));
  }
  if (!reader.isWhole) throw cutOff();
}

async function* fromNdjson(body: Bytes, columns: readonly string[]): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of body) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0)
      yield Buffer.from(lines.map((line) => copyLine(ndjsonFields(line, columns))).join(''));
  }
  if (rest !== '') throw cutOff();
}
