/** `xcrepl uninstall`: removes every object of ours from a region. */

import { leaf } from './frame/leaf.ts';
import { withRemovalPlan } from './policy/removal-options.ts';
import type { CommandModule } from './frame/host.ts';

export const uninstall: CommandModule = {
  command: (host, finish) =>
    withRemovalPlan(
      leaf({
        name: 'uninstall',
        about:
          'Removes every object of ours from the databases of a region: slots, publications, replication origins and the schema xcrepl with its checkpoints. Rows that were replicated stay.',
        examples: [
          ['xcrepl uninstall --region eu-central-1 --dry-run', 'what is there to remove'],
          ['xcrepl uninstall --region eu-central-1 --confirm eu-central-1', 'remove it'],
        ],
        exits: [0, 2, 4, 5, 8, 11, 13],
      }),
    )
      .requiredOption('--region <region>', 'region of the configuration')
      .option('--confirm <region>', 'the same region, as confirmation')
      .action(async (options) => {
        const { uninstallRegion } = await import('./uninstall-region.ts');
        finish(await uninstallRegion(host, options));
      }),
};
