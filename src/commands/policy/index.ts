/** `xcrepl policy`: keys and signatures. */

import type { CommandModule } from '../frame/host.ts';

export const policy: CommandModule = {
  children: [
    {
      name: 'keygen',
      summary: 'Make a pair of signing keys in cosign’s format',
      load: async () => (await import('./keygen.ts')).keygen,
    },
    {
      name: 'sign',
      summary: 'Sign a file',
      load: async () => (await import('./sign.ts')).sign,
    },
    {
      name: 'verify',
      summary: 'Verify the signature of a file',
      load: async () => (await import('./verify.ts')).verify,
    },
    {
      name: 'publish',
      summary: 'Sign a manifest, and the pointer to its newest version',
      load: async () => (await import('./publish.ts')).publish,
    },
  ],
};
