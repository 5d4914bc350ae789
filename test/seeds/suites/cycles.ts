/** 200 starts and ends of runs, however they come. */

import { runCycles } from '../../cycles/cycles.ts';
import type { Suite } from '../suite.ts';

export const cycles: Suite = {
  name: 'cycles',
  about: 'starts and ends that leave nothing behind',
  run: (seed) => runCycles({ seed, cycles: 200, killed: 5 }),
};
