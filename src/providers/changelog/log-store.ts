/** The files of one log as a recording finds, begins and continues them. */

import { rm } from 'node:fs/promises';
import type { FoundLog, LogStore, OpenLog } from '../../core/changelog/record.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { FileWriter, type FileWriterOptions } from './file-writer.ts';
import { partialPath } from './log-files.ts';
import { resumeLog } from './resume-log.ts';

export const logStore = (options: FileWriterOptions): LogStore => ({
  find: () => findLog(options.path),
  create: async (header): Promise<OpenLog> => {
    await rm(partialPath(options.path), { force: true });
    return await FileWriter.create(options, header);
  },
  reopen: async (): Promise<OpenLog> => {
    const log = await resumeLog(options.path);
    if (!log) throw new XcError('XC-5040', { subject: options.path });
    return await FileWriter.resume(options, log);
  },
});

/** Every line of the newest file is checked. @throws XcError XC-5031, XC-5034, XC-5036, XC-6002 */
export const findLog = async (path: string): Promise<FoundLog | null> => {
  const log = await resumeLog(path);
  return log && { header: log.header, position: log.position, closed: log.closed };
};

/** Seals the log for good; what an unfinished transaction has left behind is cut off. @returns whether it was open */
export const closeLog = async (options: FileWriterOptions): Promise<boolean> => {
  const log = await resumeLog(options.path);
  if (!log || log.closed) return false;
  await using writer = await FileWriter.resume(options, log);
  await writer.close();
  return true;
};
