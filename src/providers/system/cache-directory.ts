/** Where the user's machine keeps what can be made again: XDG Base Directory Specification, $XDG_CACHE_HOME. */

import { isAbsolute, join } from 'node:path';

/** @returns undefined where the environment names no home; bin/xcrepl.js keeps compiled code in the same place */
export const cacheDirectory = (env: Readonly<Record<string, string | undefined>>): string | undefined => {
  const { XDG_CACHE_HOME: named, HOME: home } = env;
  if (named && isAbsolute(named)) return join(named, 'xcrepl');
  return home && isAbsolute(home) ? join(home, '.cache', 'xcrepl') : undefined;
};
