/** The engine of one stream to a PostgreSQL server, from another one or from a change log: opens it. */

import type { ReplayedLog } from '../../../core/changelog/replayed-log.ts';
import type { StreamEngine } from '../../../core/replication/engine.ts';
import { PostgresEngine } from './engine.ts';
import { LogEngine } from './log-engine.ts';
import type { EngineOptions } from './options.ts';

/** Nothing is connected before `acquire`. */
export const openEngine = (options: EngineOptions, log: ReplayedLog | null = null): StreamEngine =>
  log ? new LogEngine(options, log) : new PostgresEngine(options);
