/** Whether a standard stream is a terminal. Files and pipes are told apart without loading Node's terminal support. */

import { fstatSync } from 'node:fs';

export const isTerminal = (fd: 0 | 1 | 2): boolean => {
  try {
    // /dev/null is a character device too, so a device still has to be asked.
    return fstatSync(fd).isCharacterDevice() && process.getBuiltinModule('node:tty').isatty(fd);
  } catch {
    // A closed stream is none.
    return false;
  }
};
