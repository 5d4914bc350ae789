/** Programs that a measurement compares with, where the machine has them. */

import { execa } from 'execa';

export const isInstalled = async (program: string): Promise<boolean> =>
  (await execa(program, ['--version'], { reject: false })).exitCode === 0;
