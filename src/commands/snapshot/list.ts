/** `xcrepl snapshot list`. */

import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';
import { withPlace } from './options.ts';

export const list: CommandModule = {
  command: (host, finish) =>
    withPlace(
      leaf({
        name: 'list',
        about: 'Lists the snapshots in the regions’ stores, finished and begun. Reads manifests only.',
        examples: [
          ['xcrepl snapshot list', 'of every store and tenant'],
          ['xcrepl snapshot list --from eu-central-1 --tenant acme -o json', 'of one tenant, for a program'],
        ],
        exits: [0, 2, 4, 5],
        writesNothing: true,
      }),
    ).action(async (options) => {
      const { listSnapshots } = await import('./list-snapshots.ts');
      finish(await listSnapshots(host, options));
    }),
};
