/** Version and commit: written in by the build; from a checkout, read where they stand. */

import { readFileSync } from 'node:fs';

export interface Build {
  readonly version: string;
  readonly commit: string;
}

export const build = (): Build => ({
  version: process.env.XCREPL_BUILD_VERSION ?? packageVersion(),
  commit: process.env.XCREPL_BUILD_COMMIT ?? 'unknown',
});

/** Changes whenever a configuration may be read otherwise than before; undefined from a checkout, where it may any time. */
export const configIdentity = (): string | undefined => process.env.XCREPL_BUILD_CONFIG;

const packageVersion = (): string => {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
};
