/**
 * Whether a host name resolves, within a deadline. The system's resolver cannot be interrupted: a look-up that hangs
 * would keep this process alive long after it gave up. So a child process looks the name up, and is killed when it is late.
 */

import { execFile } from 'node:child_process';
import { isIP } from 'node:net';

export type Lookup = { readonly kind: 'found' } | { readonly kind: 'none'; readonly why: string };

const SCRIPT = `require('node:dns').lookup(process.argv[1], (error) => {
  process.stdout.write(error ? error.code : 'found');
})`;

/** @param script for tests: a resolver that hangs */
export const lookupName = async (host: string, signal: AbortSignal, script = SCRIPT): Promise<Lookup> => {
  if (host === '' || host === 'localhost' || host.startsWith('/') || isIP(host.replace(/^\[|\]$/g, '')) !== 0)
    return { kind: 'found' };
  return await new Promise((resolve) => {
    execFile(
      process.execPath,
      ['-e', script, '--', host],
      // Nothing of ours is passed on: the environment holds secrets, and NODE_OPTIONS is not the child's business.
      { signal, killSignal: 'SIGKILL', env: {}, windowsHide: true },
      (error, stdout) => {
        if (stdout === 'found') resolve({ kind: 'found' });
        else if (signal.aborted)
          resolve({ kind: 'none', why: `the name ${host} was not resolved within the time allowed` });
        else
          resolve({
            kind: 'none',
            why: `the name ${host} does not resolve (${stdout || (error?.message ?? 'no reason')})`,
          });
      },
    );
  });
};

/** Each name is looked up once, however many ask for it. */
export const nameLookup = (signal: AbortSignal): ((host: string) => Promise<Lookup>) => {
  const asked = new Map<string, Promise<Lookup>>();
  return (host) => {
    const answer = asked.get(host) ?? lookupName(host, signal);
    asked.set(host, answer);
    return answer;
  };
};
