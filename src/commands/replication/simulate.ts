/** `xcrepl replication simulate`: gathers facts, makes a plan, shows it, and writes nothing else. */

import { isAbsolute, resolve } from 'node:path';
import { leaf } from '../frame/leaf.ts';
import type { CommandModule, Host, Outcome } from '../frame/host.ts';
import { existingOption, withPlanning, type PlanOptions } from './planning.ts';

export const simulate: CommandModule = {
  command: (host, finish) =>
    withPlanning(
      leaf({
        name: 'simulate',
        about:
          'Shows what replication run would do: its steps, what they would cost, the policy table and what stands in the way. Reads both servers and writes nothing but the plan file.',
        examples: [
          [
            'xcrepl replication simulate --tenant acme --out plan.json',
            'a plan for one tenant, to review and run',
          ],
          ['xcrepl replication simulate --from us-east-1 --to eu-central-1 -o json', 'for a program'],
        ],
        exits: [0, 2, 4, 5, 6, 7],
        writesNothing: true,
      }),
    )
      .addOption(existingOption())
      .option('--out <file>', 'write the plan here (default: .xcrepl/plans/ID.json)')
      .action(async (options) => {
        finish(await simulateRun(host, options));
      }),
};

/** Also what `run --dry-run` does. */
export const simulateRun = async (
  host: Host,
  options: PlanOptions & { readonly out?: string | undefined },
): Promise<Outcome> => {
  const { selectLinks } = await import('./selection.ts');
  const { gatherToPlan, newId, wishOf } = await import('./planning.ts');
  const { makePlan } = await import('../../core/plan/make-plan.ts');
  const { refuseUnavailable } = await import('../../core/plan/refusals.ts');
  const { withFormerStreams } = await import('./former-streams.ts');
  const selected = await withFormerStreams(host, await selectLinks(host, await host.config(), options));
  refuseUnavailable(selected.links);
  const wish = await wishOf(selected, options);
  host.narrator.info(`gathering facts of ${selected.streams.length} streams, ${selected.links.length} links`);
  const facts = await gatherToPlan(host, selected, selected.streams);
  const plan = makePlan(facts, wish, { id: await newId(host, 'pl'), nowMs: host.clock.nowMs() });
  const { refuseGates } = await import('../../core/plan/refuse-gates.ts');
  // Approvals come after the plan, and budgets pause where the bytes flow.
  refuseGates(plan.policy, plan.id, ['P3', 'P6']);
  const file = await write(host, plan, options.out);
  const next = `xcrepl replication run --plan ${file}`;
  return {
    document: plan,
    table: async (paint) => {
      const { planView } = await import('./plan-view.ts');
      return `${planView(plan, paint)}\n\nplan: ${file}\nnext: ${next}`;
    },
  };
};

const write = async (host: Host, plan: { readonly id: string }, out: string | undefined): Promise<string> => {
  const { writeDurably } = await import('../../providers/system/durable-file.ts');
  const { stateDirectory } = await import('../../providers/system/state-directory.ts');
  const path =
    out === undefined
      ? stateDirectory(resolve(host.cwd, '.xcrepl')).planPath(plan.id)
      : resolve(host.cwd, out);
  await writeDurably(path, `${JSON.stringify(plan, null, 2)}\n`);
  return out !== undefined && !isAbsolute(out) ? out : path;
};
