/** Builds dist/ before the suites that spawn the program, once a run. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const MARK = 'XCREPL_TEST_BUILT';

export default (): void => {
  if (process.env[MARK]) return;
  process.env[MARK] = '1';
  execFileSync(process.execPath, [join(import.meta.dirname, '../scripts/build.ts')], { stdio: 'inherit' });
};
