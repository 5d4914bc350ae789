/** `xcrepl replication`: the main job. */

import type { CommandModule } from '../frame/host.ts';

export const replication: CommandModule = {
  children: [
    {
      name: 'simulate',
      summary: 'Show what a run would do, and save it as a plan',
      load: async () => (await import('./simulate.ts')).simulate,
    },
    {
      name: 'run',
      summary: 'Copy what is missing, stream, and verify',
      load: async () => (await import('./run.ts')).run,
    },
    {
      name: 'status',
      summary: 'Show state, lag and slot of every link',
      load: async () => (await import('./status.ts')).status,
    },
    {
      name: 'doctor',
      summary: 'Say whether streams can go on where they ended, and what is missing where not',
      load: async () => (await import('./doctor.ts')).doctor,
    },
    {
      name: 'verify',
      summary: 'Compare the rows of both sides while streaming goes on',
      load: async () => (await import('./verify.ts')).verify,
    },
    {
      name: 'record',
      summary: 'Write a link’s rows and changes into a file that can be replayed',
      load: async () => (await import('./record.ts')).record,
    },
    {
      name: 'pause',
      summary: 'Make links stand still, and keep what comes meanwhile',
      load: async () => (await import('./pause.ts')).pause,
    },
    {
      name: 'resume',
      summary: 'Let paused links go on, with everything that came meanwhile',
      load: async () => (await import('./resume.ts')).resume,
    },
    {
      name: 'stop',
      summary: 'Take a link off its stream; its rows on the target stay',
      load: async () => (await import('./stop.ts')).stop,
    },
    {
      name: 'drop',
      summary: 'Forget a link and, with the last one, its stream; rows on the target stay',
      load: async () => (await import('./drop.ts')).drop,
    },
  ],
};
