/**
 * Vitest's global set-up of the suites that need PostgreSQL: servers start when a test asks, and end with the
 * run; the program that tests spawn is built from the sources as they are.
 */

import { ensureFreshBuild } from './fresh-build.ts';
import { runDirectory } from './run-directory.ts';
import { takeDown } from './take-down.ts';

export default async (): Promise<() => Promise<void>> => {
  await ensureFreshBuild();
  const directory = await runDirectory();
  return () => takeDown(directory);
};
