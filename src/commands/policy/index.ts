/** `xcrepl policy`: keys, signatures, manifests, and what the gates say. */

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
    {
      name: 'test',
      summary: 'Run declared cases against the gates',
      load: async () => (await import('./test.ts')).test,
    },
    {
      name: 'scan',
      summary: 'Find columns that look like personal data and carry no class',
      load: async () => (await import('./scan.ts')).scan,
    },
    {
      name: 'residency-report',
      summary: 'Count flows by residency, and sign the result',
      load: async () => (await import('./residency-report.ts')).residencyReport,
    },
  ],
};
