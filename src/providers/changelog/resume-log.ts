/** Where a recording goes on: behind the last whole piece of the newest file, every line of which is checked first. */

import { parseLsn, type Lsn } from '../../core/change/lsn.ts';
import type { HeaderRecord, TableRecord } from '../../core/changelog/records.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { fileNumbers, filePath } from './log-files.ts';
import type { Cursor } from './line-reader.ts';
import { openFile, type OpenFile } from './open-file.ts';

export interface ResumedLog {
  /** Of the newest file. */
  readonly header: HeaderRecord;
  readonly genesis: string;
  readonly boundary: Cursor;
  readonly position: Lsn;
  /** Where rows begin in the newest file, behind its header and tables. */
  readonly rowsFrom: number;
  /** In force at the boundary, by name. */
  readonly tables: ReadonlyMap<string, TableRecord>;
  /** The newest file is full, and the next is not begun. */
  readonly sealed: boolean;
  /** The log was ended. */
  readonly closed: boolean;
}

/** Null without a log. @throws XcError XC-5031, XC-5034, XC-5036, XC-6002 */
export const resumeLog = async (path: string): Promise<ResumedLog | null> => {
  const numbers = await fileNumbers(path);
  for (const number of numbers.toReversed()) {
    const isFirst = number === numbers[0];
    await using file = await openFile(filePath(path, number), number);
    const found = file && (await endOf(file));
    // A file that was only just begun is begun again: some of its tables may be missing.
    if (found && (found.begun || isFirst)) return found;
    if (isFirst) throw new XcError('XC-5034', { subject: filePath(path, number), why: 'it has no header' });
  }
  return null;
};

const endOf = async (file: OpenFile): Promise<ResumedLog & { readonly begun: boolean }> => {
  const { header, genesis, units } = file;
  const tables = new Map<string, TableRecord>();
  let position = parseLsn(header.position);
  let begun = false;
  let rowsFrom = units.boundary.offset;
  let sealed = false;
  let closed = false;
  for (let unit = await units.next(); unit !== 'end'; unit = await units.next()) {
    if (unit.kind === 'table') tables.set(unit.table.name, unit.table);
    else begun = true;
    if (!begun) rowsFrom = units.boundary.offset;
    if (unit.kind === 'transaction') {
      position = unit.endLsn;
      for await (const table of units.tablesIn(unit)) tables.set(table.name, table);
    }
    if (unit.kind === 'position' || unit.kind === 'copied') position = unit.lsn;
    if (unit.kind === 'seal') [sealed, closed] = [true, unit.seal.next === null];
  }
  return { header, genesis, boundary: units.boundary, rowsFrom, position, tables, sealed, closed, begun };
};
