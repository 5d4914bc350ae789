/** Waiting for what another process does: no assertion rests on how soon it comes, only on that it comes. */

import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 100;
/** What has not come by then never will. */
const LIMIT_MS = 120_000;

export const until = async (what: string, check: () => boolean | Promise<boolean>): Promise<void> => {
  const end = performance.now() + LIMIT_MS;
  while (performance.now() < end) {
    if (await check()) return;
    await sleep(POLL_MS);
  }
  throw new Error(`never came: ${what}`);
};
