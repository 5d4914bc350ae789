/** Records what a command changes. Opened by the first entry, so that commands that change nothing load none of it. */

import { ANCHOR_ENTRIES } from '../../core/audit/log.ts';
import { isXcError } from '../../core/errors/xc-error.ts';
import type { AuditRecorder, Host } from '../frame/host.ts';
import type { openLog } from './open.ts';

export const createRecorder = (host: () => Host): AuditRecorder => {
  let opened: ReturnType<typeof openLog> | null = null;
  let unanchored = 0;
  const open = async () => {
    const { openLog } = await import('./open.ts');
    return await (opened ??= openLog(host()));
  };
  const settle = async (): Promise<void> => {
    if (!opened) return;
    try {
      const known = await opened;
      const { settle: settleLog } = await import('./settle.ts');
      await settleLog(host(), known);
    } catch (error) {
      if (!isXcError(error)) throw error;
      host().narrator.warn(`the checkpoint of the audit log is left to the next command: ${error.message}`);
    }
  };
  return {
    async append(...events) {
      await (await open()).log.append(events);
      unanchored += events.length;
      if (unanchored < ANCHOR_ENTRIES) return;
      unanchored = 0;
      await settle();
    },
    settle,
    async close() {
      await settle();
      const known = await opened?.catch(() => null);
      await known?.log[Symbol.asyncDispose]();
    },
  };
};
