/** Destroying takes the region's name: --yes is not enough. */

import { createInterface } from 'node:readline/promises';
import { XcError } from '../../core/errors/xc-error.ts';
import type { Host } from '../frame/host.ts';

/**
 * @param given what came with --confirm
 * @throws XcError XC-1306 for another name, XC-7004 without a terminal to ask on
 */
export const confirmRegion = async (
  host: Host,
  region: string,
  given: string | undefined,
  action: string,
): Promise<void> => {
  const answer = given ?? (await ask(host, region, action));
  if (answer !== region)
    throw new XcError('XC-1306', {
      subject: `${action}: "${answer}"`,
      why: `it works on region ${region}`,
      next: `repeat the command with --confirm ${region}`,
    });
};

const ask = async (host: Host, region: string, action: string): Promise<string> => {
  if (!host.terminal.canAsk || !host.flags.input)
    throw new XcError('XC-7004', { subject: action, next: `repeat the command with --confirm ${region}` });
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(`${action}. Type the region to confirm: `, { signal: host.signal })).trim();
  } finally {
    lines.close();
  }
};
