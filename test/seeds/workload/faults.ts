/** What a plan says that goes wrong, done to real processes, servers and lines. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Pair } from '../../harness/pair.ts';
import type { TcpProxy } from '../../harness/tcp-proxy.ts';
import type { Operator } from './operator.ts';
import type { Fault } from './plan.ts';

export interface Stage {
  readonly pair: Pair;
  readonly operator: Operator;
  readonly lines: { readonly source: TcpProxy; readonly target: TcpProxy };
}

const SLOW_MS = 15;

export const doFault = async (fault: Fault, { pair, operator, lines }: Stage): Promise<void> => {
  switch (fault.kind) {
    case 'kill':
      return await operator.kill();
    case 'stop':
      return await operator.stop();
    case 'cut':
      return lines[fault.side].cut();
    case 'stall': // what is on its way never arrives
      lines[fault.side].pause('both');
      await sleep(fault.forMs);
      lines[fault.side].cut();
      return lines[fault.side].resume();
    case 'slow':
      lines[fault.side].delay(SLOW_MS);
      await sleep(fault.forMs);
      return lines[fault.side].delay(0);
    case 'refuse':
      lines[fault.side].refuse(true);
      lines[fault.side].cut();
      await sleep(fault.forMs);
      return lines[fault.side].refuse(false);
    case 'terminate':
      await pair[fault.side].query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name LIKE 'xcrepl %'`,
      );
      return;
    case 'crash':
      await pair.control[fault.side].kill();
      return await pair.control[fault.side].start();
    default:
      return fault satisfies never;
  }
};
