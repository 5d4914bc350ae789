/** The engine of one stream on two PostgreSQL servers: opens it. */

import type { StreamEngine } from '../../../core/replication/engine.ts';
import { PostgresEngine } from './engine.ts';
import type { EngineOptions } from './options.ts';

/** Nothing is connected before `acquire`. */
export const openEngine = (options: EngineOptions): StreamEngine => new PostgresEngine(options);
