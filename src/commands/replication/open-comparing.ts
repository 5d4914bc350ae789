/** Engines for commands that compare: they stream only to their own markers, and copy nothing. */

import { hostname } from 'node:os';
import type { StreamEngine } from '../../core/replication/engine.ts';
import type { Stream } from '../../core/topology/link.ts';
import { openStreamEngine } from '../../providers/registry.ts';
import type { Host } from '../frame/host.ts';
import { newId } from './planning.ts';
import type { Selected } from './selection.ts';

export const openComparing = async (
  host: Host,
  stream: Stream,
  { loaded, dsns }: Pick<Selected, 'loaded' | 'dsns'>,
  hashKeys: ReadonlyMap<string, Uint8Array>,
): Promise<StreamEngine> =>
  openStreamEngine({
    stream,
    controlPlane: loaded.config.controlPlane,
    dsn: { source: dsns.get(stream.source.region)!, target: dsns.get(stream.target.region)! },
    hashKeys,
    run: await newId(host, 'rn'),
    host: hostname(),
    pid: process.pid,
    clock: host.clock,
    random: host.random,
    progress: { ...SILENT, note: (text) => host.narrator.info(`stream ${stream.key}: ${text}`) },
    existing: 'refuse',
    lockTimeoutMs: 0,
    copyWorkers: 1,
    signal: host.signal,
  });

const SILENT = {
  copied: () => undefined,
  streamed: () => undefined,
  applied: () => undefined,
  retained: () => undefined,
};
