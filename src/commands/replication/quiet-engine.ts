/** The engine of a stream for a command that changes what is on it, and streams nothing. */

import { hostname } from 'node:os';
import type { StreamEngine } from '../../core/replication/engine.ts';
import type { Stream } from '../../core/topology/link.ts';
import { openStreamEngine } from '../../providers/registry.ts';
import type { Host } from '../frame/host.ts';
import type { Selected } from './selection.ts';

/** Without its lock. */
export const openQuietEngine = (
  host: Host,
  { dsns, loaded }: Pick<Selected, 'dsns' | 'loaded'>,
  stream: Stream,
  run: string,
): StreamEngine =>
  openStreamEngine({
    stream,
    controlPlane: loaded.config.controlPlane,
    dsn: { source: dsns.get(stream.source.region)!, target: dsns.get(stream.target.region)! },
    hashKeys: new Map(),
    run,
    host: hostname(),
    pid: process.pid,
    clock: host.clock,
    random: host.random,
    progress: SILENT,
    existing: 'refuse',
    lockTimeoutMs: host.flags.lockTimeoutMs ?? 0,
    copyWorkers: 1,
    signal: host.signal,
  });

const SILENT = {
  copied: () => undefined,
  streamed: () => undefined,
  applied: () => undefined,
  retained: () => undefined,
  note: () => undefined,
};
