/** `xcrepl snapshot`: its verbs. */

import type { CommandModule } from '../frame/host.ts';

export const snapshot: CommandModule = {
  children: [
    {
      name: 'create',
      summary: 'Copy a tenant’s tables into an object store, as of one instant',
      load: async () => (await import('./create.ts')).create,
    },
    {
      name: 'list',
      summary: 'List snapshots',
      load: async () => (await import('./list.ts')).list,
    },
    {
      name: 'show',
      summary: 'Show what one snapshot holds',
      load: async () => (await import('./show.ts')).show,
    },
    {
      name: 'verify',
      summary: 'Read a snapshot back, and compare it with its signed manifest',
      load: async () => (await import('./verify.ts')).verify,
    },
    {
      name: 'restore',
      summary: 'Put a snapshot’s rows into tables, and verify them there',
      load: async () => (await import('./restore.ts')).restore,
    },
    {
      name: 'prune',
      summary: 'Remove snapshots that are not to be kept',
      load: async () => (await import('./prune.ts')).prune,
    },
  ],
};
