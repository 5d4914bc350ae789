/** `xcrepl config`: the configuration itself. */

import type { CommandModule } from '../frame/host.ts';

export const config: CommandModule = {
  children: [
    {
      name: 'show',
      summary: 'Print the effective configuration, references instead of secrets',
      load: async () => (await import('./show.ts')).show,
    },
    {
      name: 'validate',
      summary: 'Check the configuration and list every mistake',
      load: async () => (await import('./validate.ts')).validate,
    },
    {
      name: 'init',
      summary: 'Write a commented xcrepl.yaml to start from',
      load: async () => (await import('./init.ts')).init,
    },
    {
      name: 'schema',
      summary: 'Print the JSON Schema of xcrepl.yaml',
      load: async () => (await import('./schema.ts')).schema,
    },
  ],
};
