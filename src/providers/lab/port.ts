/** Free TCP ports on loopback. A port is a proposal: the server that binds it finds out whether it is still free. */

import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';

/**
 * Below the ephemeral ranges of Linux (32768 on) and of macOS and RFC 6335 (49152 on), so that no outgoing connection
 * takes the port while its server is being restarted.
 */
const [LOWEST, HIGHEST] = [12_000, 32_000];
const MAX_TRIES = 200;

export const freePort = async (taken: ReadonlySet<number> = new Set()): Promise<number> => {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const port = randomInt(LOWEST, HIGHEST);
    if (!taken.has(port) && (await canListen(port))) return port;
  }
  throw new Error(`no free port on loopback after ${MAX_TRIES} tries`);
};

const canListen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
