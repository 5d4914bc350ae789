/** The top of the command tree. Each entry's module is imported only when it is called or its own help is shown. */

import type { CommandEntry } from './frame/host.ts';

export const tree: readonly CommandEntry[] = [
  {
    name: 'precheck',
    summary: 'Check everything that a run needs, and decide whether to go on',
    load: async () => (await import('./precheck.ts')).precheck,
  },
  {
    name: 'init',
    summary: 'Prepare the databases of a region',
    load: async () => (await import('./init.ts')).init,
  },
  {
    name: 'replication',
    summary: 'Copy and stream tables between regions',
    load: async () => (await import('./replication/index.ts')).replication,
  },
  {
    name: 'snapshot',
    summary: 'Keep tables as signed snapshots in object stores',
    load: async () => (await import('./snapshot/index.ts')).snapshot,
  },
  {
    name: 'objects',
    summary: 'Mirror objects between regions, and compare them',
    load: async () => (await import('./objects/index.ts')).objects,
  },
  {
    name: 'uninstall',
    summary: 'Remove everything of ours from the databases of a region',
    load: async () => (await import('./uninstall.ts')).uninstall,
  },
  {
    name: 'audit',
    summary: 'Show, verify and prove the log of everything that was changed',
    load: async () => (await import('./audit/index.ts')).audit,
  },
  {
    name: 'evidence',
    summary: 'Export what proves a run, and verify it offline',
    load: async () => (await import('./evidence/index.ts')).evidence,
  },
  {
    name: 'policy',
    summary: 'Make signing keys, sign and verify',
    load: async () => (await import('./policy/index.ts')).policy,
  },
  {
    name: 'approve',
    summary: 'Approve a plan or a manifest with a key',
    load: async () => (await import('./approve.ts')).approve,
  },
  {
    name: 'lab',
    summary: 'Run real PostgreSQL servers on this machine as regions to try things on',
    load: async () => (await import('./lab/index.ts')).lab,
  },
  {
    name: 'config',
    summary: 'Show, check and write the configuration',
    load: async () => (await import('./config/index.ts')).config,
  },
  {
    name: 'explain',
    summary: 'Explain an error code',
    load: async () => (await import('./explain.ts')).explain,
  },
  {
    name: 'commands',
    summary: 'Print the command tree as JSON',
    load: async () => (await import('./commands.ts')).commands,
  },
  {
    name: 'completion',
    summary: 'Print a completion script for a shell',
    load: async () => (await import('./completion.ts')).completion,
  },
];
