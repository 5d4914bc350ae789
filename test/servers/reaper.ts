/** Waits until the process at the other end of stdin is gone, then takes its servers down. See run-directory.ts. */

import { takeDown } from './take-down.ts';

const directory = process.argv[2];
if (directory !== undefined) {
  process.stdin.resume();
  process.stdin.once('close', () => void takeDown(directory));
}
