/** `xcrepl audit status`. */

import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';

export const status: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'status',
      about:
        'Shows how many entries the audit log of this directory has, how many of them its checkpoint covers, how many are anchored in each region’s databases and object store, which are not and for how long, and what waits in the databases. Writes nothing.',
      examples: [
        ['xcrepl audit status', 'how far the log is anchored'],
        ['xcrepl audit status -o json', 'the same for a program'],
      ],
      exits: [0, 2, 4],
      writesNothing: true,
    }).action(async () => {
      const { auditStatus } = await import('./show-status.ts');
      finish(await auditStatus(host));
    }),
};
