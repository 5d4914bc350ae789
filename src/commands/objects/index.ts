/** `xcrepl objects`: mirrors of objects between regions. */

import type { CommandModule } from '../frame/host.ts';

export const objects: CommandModule = {
  children: [
    {
      name: 'sync',
      summary: 'Make the objects of a target equal to those of a source, and prove it',
      load: async () => (await import('./sync.ts')).sync,
    },
    {
      name: 'check',
      summary: 'Compare the objects of two places',
      load: async () => (await import('./check.ts')).check,
    },
  ],
};
