/** Where a region's rows come from, as one text: a server's DSN, or "changelog:" and the path of a log. */

const SCHEME = 'changelog:';

/** What stands for the database of a log in the name of a stream. */
export const LOG_DATABASE = 'changelog';

export const logAddress = (path: string): string => `${SCHEME}${path}`;

/** The log's path, or null for a server's DSN. */
export const logPath = (address: string): string | null =>
  address.startsWith(SCHEME) ? address.slice(SCHEME.length) : null;
