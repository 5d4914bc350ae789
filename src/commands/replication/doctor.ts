/** `xcrepl replication doctor`: whether streams can go on where they ended. */

import { leaf } from '../frame/leaf.ts';
import type { CommandModule } from '../frame/host.ts';
import { withSelection } from './selection.ts';

export const doctor: CommandModule = {
  command: (host, finish) =>
    withSelection(
      leaf({
        name: 'doctor',
        about:
          'Compares three positions of each link: the checkpoint in the target, the slot at the source, and what the target holds. Answers safe, duplicate (the slot would give again what the target has, which is skipped) or gap, with the range of the log that is missing and why. Reads both servers and writes nothing but the plan that --plan asks for: one that mends a gap under a new slot, reading only the ranges of rows whose checksums differ.',
        examples: [
          ['xcrepl replication doctor', 'every link'],
          ['xcrepl replication doctor --plan repair.json', 'and a plan that mends what has a gap'],
          [
            'xcrepl replication doctor --link shop:acme:us-east-1:eu-central-1 -o json',
            'one link, for a program',
          ],
        ],
        exits: [0, 2, 4, 5, 6, 7, 10, 12],
        writesNothing: true,
      }),
    )
      .option('--link <link>', 'rule:tenant:source:target')
      .option('--plan <file>', 'write a plan here that mends the gaps; replication run --plan runs it')
      .action(async (options) => {
        const { examineLinks } = await import('./examine-links.ts');
        finish(await examineLinks(host, options));
      }),
};
