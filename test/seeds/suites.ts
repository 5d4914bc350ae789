/** All seeded suites, by what they break. */

import type { Suite } from './suite.ts';
import { cutNetwork } from './suites/cut-network.ts';
import { cycles } from './suites/cycles.ts';
import { fuzz } from './suites/fuzz.ts';
import { links } from './suites/links.ts';
import { takeOver } from './suites/take-over.ts';
import { workload } from './suites/workload.ts';
import { killRunnerCopy } from './suites/kill-runner-copy.ts';
import { killRunnerStream } from './suites/kill-runner-stream.ts';
import { killSource, killTarget } from './suites/kill-server.ts';

export const suites: readonly Suite[] = [
  killRunnerCopy,
  killRunnerStream,
  killTarget,
  killSource,
  cutNetwork,
  fuzz,
  cycles,
  workload,
  links,
  takeOver,
];
