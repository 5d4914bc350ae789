/** Vitest's global set-up of the suites that need PostgreSQL: servers start when a test asks, and end with the run. */

import { runDirectory } from './run-directory.ts';
import { takeDown } from './take-down.ts';

export default async (): Promise<() => Promise<void>> => {
  const directory = await runDirectory();
  return () => takeDown(directory);
};
