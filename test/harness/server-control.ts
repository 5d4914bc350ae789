/** Crashes and restarts of a private pair's servers. */

import { readFile } from 'node:fs/promises';
import { killServer, stopServer } from '../../src/providers/lab/server.ts';
import { restartRegion } from '../../src/providers/lab/lab-region.ts';
import type { PairServer } from '../servers/server-pair.ts';

export interface ServerControl {
  /** SIGKILL to the postmaster: no shutdown checkpoint, connections break. */
  kill(): Promise<void>;
  /** Fast shutdown. */
  stop(): Promise<void>;
  /** Starts it again on the same port, and waits until it has recovered. */
  start(): Promise<void>;
  /** All that the server has logged so far. */
  log(): Promise<string>;
}

export const serverControl = (server: PairServer): ServerControl => ({
  kill: () => killServer(server.region),
  async stop() {
    await stopServer(server.region);
  },
  start: () => restartRegion(server.lab, server.region, new AbortController().signal),
  log: () => readFile(server.region.logFile, 'utf8'),
});

/** A worker's other tests use the same servers. */
export const noControl: ServerControl = {
  kill: () =>
    Promise.reject(new Error('only the servers of a pair made with { private: true } may be killed')),
  stop: () =>
    Promise.reject(new Error('only the servers of a pair made with { private: true } may be stopped')),
  start: () => Promise.resolve(),
  log: () => Promise.reject(new Error('only a pair made with { private: true } has a log of its own')),
};
