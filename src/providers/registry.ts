/**
 * An explicit table: what a configuration's kind builds. It alone knows more than one provider; a region's address says
 * which (core/changelog/log-address.ts).
 */

import { logPath } from '../core/changelog/log-address.ts';
import type { ReplayedLog } from '../core/changelog/replayed-log.ts';
import type { StreamEngine } from '../core/replication/engine.ts';
import { replayedLog } from './changelog/replayed-log.ts';
import { openEngine } from './postgres/engine/open.ts';
import type { EngineOptions } from './postgres/engine/options.ts';

/** The log at a region's address, or null where a server is. */
export const logAt = (address: string | undefined): ReplayedLog | null => {
  const path = address === undefined ? null : logPath(address);
  return path === null ? null : replayedLog(path);
};

/** The engine of a stream between these two addresses. Nothing is connected before `acquire`. */
export const openStreamEngine = (options: EngineOptions): StreamEngine =>
  openEngine(options, logAt(options.dsn.source));
