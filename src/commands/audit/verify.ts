/** `xcrepl audit verify`. */

import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';

export const verify: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'verify',
      about:
        'Recomputes the whole audit log of this directory from its entries, compares every tile, bundle and the signed checkpoint, and then the anchors in the regions. What was changed, cut off, reordered or rolled back is named. Writes nothing.',
      examples: [
        ['xcrepl audit verify', 'the log and its anchors'],
        ['xcrepl audit verify --offline -o json', 'without asking any region'],
      ],
      exits: [0, 2, 4, 6, 12],
      writesNothing: true,
    })
      .option('--offline', 'ask no region: what its anchors would say stays unknown', false)
      .action(async (options) => {
        const { verifyThisLog } = await import('./verify-this-log.ts');
        finish(await verifyThisLog(host, options));
      }),
};
