/** `xcrepl audit`: the log of everything that was changed. */

import type { CommandModule } from '../frame/host.ts';

export const audit: CommandModule = {
  children: [
    {
      name: 'status',
      summary: 'Show how much of the log is signed and anchored',
      load: async () => (await import('./status.ts')).status,
    },
    {
      name: 'list',
      summary: 'List entries of the log',
      load: async () => (await import('./list.ts')).list,
    },
    {
      name: 'verify',
      summary: 'Recompute the whole log and compare it with its anchors',
      load: async () => (await import('./verify.ts')).verify,
    },
    {
      name: 'prove',
      summary: 'Write a proof that an entry is in the log, or that the log only grew',
      load: async () => (await import('./prove.ts')).prove,
    },
    {
      name: 'check-proof',
      summary: 'Check a proof without the log',
      load: async () => (await import('./check-proof.ts')).checkProof,
    },
  ],
};
