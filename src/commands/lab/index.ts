/** `xcrepl lab`: real servers on this machine as regions, to try things on. */

import type { CommandModule } from '../frame/host.ts';

export const lab: CommandModule = {
  children: [
    {
      name: 'up',
      summary: 'Start real PostgreSQL servers as regions and write their configuration',
      load: async () => (await import('./up.ts')).up,
    },
    {
      name: 'down',
      summary: 'Stop the servers of a lab and remove its files',
      load: async () => (await import('./down.ts')).down,
    },
    {
      name: 'status',
      summary: 'Show whether the servers of a lab live',
      load: async () => (await import('./status.ts')).status,
    },
  ],
};
