/** The log of a region of kind changelog, by the path of its first file. */

import type { FileHandle } from 'node:fs/promises';
import { formatLsn, parseLsn, type Lsn } from '../../core/change/lsn.ts';
import { loggedCatalogue } from '../../core/changelog/logged-table.ts';
import type { TableRecord } from '../../core/changelog/records.ts';
import type { LogLook, ReplayedLog } from '../../core/changelog/replayed-log.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { fileNumbers, filePath } from './log-files.ts';
import { LogSource } from './log-source.ts';
import { openFile, type OpenFile } from './open-file.ts';

export const replayedLog = (path: string): ReplayedLog => ({
  look: async (from) => await lookAt(path, from),
  end: async () => (await lastPiece(path)).end,
  open: async (from, until, hooks) => new LogSource({ path, from, until, hooks }, await fileOf(path, from)),
});

/** The newest file that begins at or before the position. @throws XcError XC-5032, XC-5040 */
const fileOf = async (path: string, from: Lsn | null): Promise<OpenFile> => {
  const numbers = await fileNumbers(path);
  const wanted = from === null ? numbers : numbers.toReversed();
  let oldest: Lsn | null = null;
  for (const number of wanted) {
    const file = await openFile(filePath(path, number), number);
    if (!file) continue;
    oldest = parseLsn(file.header.position);
    if (from === null || oldest <= from) return file;
    await file[Symbol.asyncDispose]();
  }
  if (from === null || oldest === null) throw new XcError('XC-5040', { subject: path });
  throw new XcError('XC-5032', {
    subject: path,
    why: `the checkpoint is ${formatLsn(from)}, and the oldest file that is there begins at ${formatLsn(oldest)}`,
  });
};

const lookAt = async (path: string, from: Lsn | null): Promise<LogLook> => {
  await using first = await fileOf(path, null);
  await using file = await fileOf(path, from);
  const { header, genesis, units } = file;
  const tables: TableRecord[] = [];
  for (let unit = await units.next(); unit !== 'end' && unit.kind === 'table'; unit = await units.next())
    tables.push(unit.table);
  const oldest = parseLsn(first.header.position);
  return { header, genesis, oldest, tables, catalogue: loggedCatalogue(tables), ...(await lastPiece(path)) };
};

type LastPiece = Pick<LogLook, 'end' | 'endMs' | 'closed' | 'awaited'>;

const lastPiece = async (path: string): Promise<LastPiece> => {
  for (const number of (await fileNumbers(path)).toReversed()) {
    await using file = await openFile(filePath(path, number), number);
    if (!file) continue;
    const line = await lastEnd(file.handle);
    const end = parseLsn(line?.lsn ?? file.header.position);
    const endMs = line?.at ? Date.parse(line.at) : null;
    if (line?.t !== 'seal') return { end, endMs, closed: false, awaited: null };
    return { end, endMs, closed: line.next === null, awaited: line.next ?? null };
  }
  throw new XcError('XC-5040', { subject: path });
};

interface EndLine {
  readonly t: string;
  readonly lsn: string;
  readonly at?: string | null;
  readonly next?: string | null;
}

const WINDOW_BYTES = 256 * 1024;
/** Lines that end something are short; one that is cut in two by a window is whole in the next. */
const OVERLAP_BYTES = 4 * 1024;
const ENDS = ['commit', 'position', 'copied', 'seal'].map((kind) => `\n{"t":"${kind}"`);

/** The last whole line that ends something, looked for from the end of the file. */
const lastEnd = async (handle: FileHandle): Promise<EndLine | null> => {
  const { size } = await handle.stat();
  for (let end = size; end > 0; end = end <= WINDOW_BYTES ? 0 : end - WINDOW_BYTES + OVERLAP_BYTES) {
    const start = Math.max(0, end - WINDOW_BYTES);
    const bytes = Buffer.alloc(end - start);
    await handle.read(bytes, 0, bytes.length, start);
    const text = bytes.toString('latin1');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const at = Math.max(...ENDS.map((mark) => whole.lastIndexOf(mark, whole.length - 2)));
    if (at >= 0) return JSON.parse(whole.slice(at + 1, whole.indexOf('\n', at + 1))) as EndLine;
  }
  return null;
};
