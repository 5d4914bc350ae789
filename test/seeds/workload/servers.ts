/** Two servers that all seeds of a process share, and may kill: starting them takes longer than a seed. */

import { join } from 'node:path';
import { runDirectory } from '../../servers/run-directory.ts';
import { startServers, type ServerPair } from '../../servers/server-pair.ts';

let kept: Promise<ServerPair> | null = null;

/** They end with the run, as all of its servers do. */
export const keptServers = (): Promise<ServerPair> => (kept ??= start());

const start = async (): Promise<ServerPair> =>
  startServers(join(await runDirectory(), `workload-${process.pid}`), 18, { durable: false });
