/** Writes the plan of `verify --repair-plan`: what would mend the differences that were found. */

import { resolve } from 'node:path';
import { makePlan } from '../../core/plan/make-plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { REPAIR_DISCARDS } from '../../core/plan/destroys.ts';
import { repairRowsPlan } from '../../core/plan/repair-rows.ts';
import type { Compared } from '../../core/replication/engine.ts';
import type { RepairPlanned } from '../../core/report/verification.ts';
import type { Stream } from '../../core/topology/link.ts';
import { writeDurably } from '../../providers/system/durable-file.ts';
import type { Host } from '../frame/host.ts';
import { gatherToPlan, newId, wishOf } from './planning.ts';
import type { Selected } from './selection.ts';

/** @returns null where nothing differs: then there is no file */
export const planRowRepair = async (
  host: Host,
  selected: Selected,
  compared: readonly { readonly stream: Stream; readonly result: Compared }[],
  file: string,
): Promise<RepairPlanned | null> => {
  const differing = compared.filter(({ result }) => result.differences.length > 0);
  if (differing.length === 0) return null;
  const ids = new Set(
    differing.flatMap(({ result }) => result.differences.flatMap(({ links }) => [...links])),
  );
  const streams = differing.map(({ stream }) => stream);
  const facts = await gatherToPlan(host, { ...selected, ids }, streams);
  const wish = await wishOf({ loaded: selected.loaded, ids }, {});
  const base = makePlan(facts, wish, { id: await newId(host, 'pl'), nowMs: host.clock.nowMs() });
  const plan = repairRowsPlan(
    base,
    differing.map(({ stream, result }) => ({
      stream: stream.key,
      region: stream.target.region,
      seed: result.seed ?? '',
      differences: result.differences,
    })),
    wish.policy,
  );
  await writeDurably(resolve(host.cwd, file), `${JSON.stringify(plan, null, 2)}\n`);
  return told(
    plan,
    file,
    differing.some(({ result }) => result.differences.some(({ atLeast }) => atLeast)),
  );
};

const told = (plan: Plan, file: string, atLeast: boolean): RepairPlanned => {
  const discards = plan.findings.find((finding) => finding.check === REPAIR_DISCARDS);
  const confirm = discards?.region === undefined ? '' : ` --confirm ${discards.region}`;
  return {
    id: plan.id,
    file,
    rows: plan.estimate.rows,
    atLeast,
    findings: plan.findings,
    next: `xcrepl replication run --plan ${file}${confirm}`,
  };
};
