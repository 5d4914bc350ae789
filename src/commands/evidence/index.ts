/** `xcrepl evidence`: what a third party needs to check a run. */

import type { CommandModule } from '../frame/host.ts';

export const evidence: CommandModule = {
  children: [
    {
      name: 'export',
      summary: 'Put everything that proves a run into one archive',
      load: async () => (await import('./export.ts')).exportRun,
    },
    {
      name: 'verify',
      summary: 'Check such an archive, offline',
      load: async () => (await import('./verify.ts')).verify,
    },
  ],
};
