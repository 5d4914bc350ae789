/** Random schemas under random transactions of several writers, while whatever can break does; both sides compared. */

import { setTimeout as sleep } from 'node:timers/promises';
import { initTarget } from '../../engine/test-engine.ts';
import { makePair, type Pair } from '../../harness/pair.ts';
import { startTcpProxy } from '../../harness/tcp-proxy.ts';
import { expectTidy } from '../leftovers.ts';
import type { Suite } from '../suite.ts';
import { expectEqual } from '../workload/compare.ts';
import { configOf } from '../workload/config.ts';
import { doFault, type Stage } from '../workload/faults.ts';
import { Operator } from '../workload/operator.ts';
import { makeChanges } from '../workload/migrator.ts';
import { changesText, faultText, lastTouches, NAME, planOf, type TimedFault } from '../workload/plan.ts';
import type { Table } from '../workload/schema.ts';
import { keptServers } from '../workload/servers.ts';
import { runStatements, startTraffic, type Traffic } from '../workload/writers.ts';

const POLL_MS = 5;
const MEND_MS = 100;

const run = async (seed: number): Promise<string> => {
  const plan = planOf(seed);
  await using pair = await makePair({
    fixture: 'empty',
    servers: await keptServers(),
    config: (config) => configOf(config, plan),
  });
  await pair.source.query(plan.schema.sourceSql);
  await pair.target.query(plan.schema.targetSql);
  await initTarget(pair);
  for (const sql of plan.first) await pair.source.query(sql);
  await using source = await startTcpProxy({ port: pair.source.port });
  await using target = await startTcpProxy({ port: pair.target.port });
  await pair.useDsn('source', source.dsn(pair.source.dsn));
  await pair.useDsn('target', target.dsn(pair.target.dsn));
  await using operator = new Operator(pair);
  const over = new AbortController();
  const doings: Promise<void>[] = [];
  try {
    if (!plan.duringCopy) await untilStreaming(pair, operator);
    const traffic = startTraffic(pair.source, plan.writers, over.signal);
    doings.push(
      breakThings(plan.faults, traffic, { pair, operator, lines: { source, target } }),
      makeChanges(pair.source, plan.changes, traffic, over.signal),
      mendUntil(traffic, operator),
    );
    await Promise.all(doings);
    await traffic.ended;
    if (plan.changes.length > 0) await runStatements(pair.source, lastTouches(seed, plan.last));
  } finally {
    over.abort();
    // A server that is down in the middle of a fault comes up again: the next seed needs it.
    await Promise.allSettled(doings);
  }
  const again = await operator.finish();
  await expectEqual(pair, [...plan.last.tables, ...plan.created]);
  await expectTidy(pair, {
    identified: !plan.schema.tables.every(isInsertOnly),
    insertOnly: plan.schema.tables.some(isInsertOnly),
  });
  return `${plan.schema.tables.length} tables, ${plan.faults.map(faultText).join(', ') || 'no fault'}${changesText(plan)}${again}`;
};

const isInsertOnly = ({ identity }: Table): boolean => identity === 'none';

const untilStreaming = async (pair: Pair, operator: Operator): Promise<void> => {
  for (;;) {
    await operator.look();
    const states = await pair.target.query<{ state: string }>('SELECT DISTINCT state FROM xcrepl.links');
    if (states.length === 1 && states[0]?.state === 'streaming') return;
    await sleep(10 * POLL_MS);
  }
};

/** Beside the faults: what the run waits for is not waited for by anything else. */
const mendUntil = async (traffic: Traffic, operator: Operator): Promise<void> => {
  while (!traffic.isOver()) {
    await operator.mendWaiting();
    await sleep(MEND_MS);
  }
};

const breakThings = async (faults: readonly TimedFault[], traffic: Traffic, stage: Stage): Promise<void> => {
  for (const { after, jitterMs, fault } of faults) {
    while (traffic.done() < after && !traffic.isOver()) await sleep(POLL_MS);
    await sleep(jitterMs);
    await stage.operator.look();
    await doFault(fault, stage);
  }
};

export const workload: Suite = {
  name: NAME,
  about: 'random schemas, transactions and schema changes, and whatever can break',
  run,
};
