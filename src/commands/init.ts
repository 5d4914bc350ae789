/** `xcrepl init`: the schema xcrepl of a region's databases, and the grants that a less privileged role needs. */

import { leaf } from './frame/leaf.ts';
import type { CommandModule } from './frame/host.ts';

export const init: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'init',
      about:
        'Creates or updates the schema xcrepl in the databases of a region, which holds checkpoints and link states, and prints the grants that a less privileged role needs. A second time it changes nothing.',
      examples: [
        ['xcrepl init --region eu-central-1', 'a target region, before its first run'],
        ['xcrepl init --region eu-central-1 --dry-run', 'which migrations are missing'],
        ['xcrepl init --region eu-central-1 --role replicator -o json', 'grants for this role'],
      ],
      exits: [0, 2, 4, 5, 8],
    })
      .requiredOption('--region <region>', 'region of the configuration')
      .option('--role <role>', 'role that the printed grants are for', 'xcrepl')
      .action(async (options) => {
        const { initialiseRegion } = await import('./initialise-region.ts');
        finish(await initialiseRegion(host, options));
      }),
};
