/** Files that were named on the command line. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { XcError } from '../core/errors/xc-error.ts';
import type { Host } from './frame/host.ts';

/** @throws XcError XC-1013 */
export const readGiven = async (host: Host, file: string): Promise<Buffer> => {
  try {
    return await readFile(resolve(host.cwd, file));
  } catch (error) {
    throw new XcError('XC-1013', {
      subject: file,
      why: error instanceof Error ? error.message : String(error),
    });
  }
};
