/** `xcrepl snapshot show`. */

import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';
import { withPlace } from './options.ts';

export const show: CommandModule = {
  command: (host, finish) =>
    withPlace(
      leaf({
        name: 'show',
        about:
          'Shows the manifest of one snapshot: tables, columns and what became of them, rows, sizes, position. Its signature is not checked; verify does that.',
        examples: [
          ['xcrepl snapshot show latest --tenant acme', 'the newest of a tenant'],
          ['xcrepl snapshot show sn_01J… -o json', 'the whole manifest'],
        ],
        exits: [0, 2, 4, 5, 6],
        writesNothing: true,
      }),
    )
      .argument('<snapshot>', 'its id, or latest')
      .action(async (id, options) => {
        const { showSnapshot } = await import('./list-snapshots.ts');
        finish(await showSnapshot(host, id, options));
      }),
};
