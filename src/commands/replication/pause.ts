/** `xcrepl replication pause`: makes links stand still. */

import { leaf } from '../frame/leaf.ts';
import type { CommandModule } from '../frame/host.ts';
import { withSelection } from './selection.ts';

export const pause: CommandModule = {
  command: (host, finish) =>
    withSelection(
      leaf({
        name: 'pause',
        about:
          'Makes links stand still: each goes off the shared stream onto a slot of its own, which keeps on the source what comes after, within a budget (postgres.retainedWal.held); past it the slot is dropped, and the link needs repair. Nothing of it is applied until it is resumed; the other links go on. A run that follows does it within seconds; without one it is done at once.',
        examples: [
          ['xcrepl replication pause --link shop:acme:us-east-1:eu-central-1', 'one link'],
          ['xcrepl replication pause --tenant acme', 'every link of a tenant'],
        ],
        exits: [0, 2, 4, 5, 6, 10],
      }),
    )
      .option('--link <link>', 'rule:tenant:source:target')
      .option('--rule <rule>', 'every link of this rule')
      .action(async (options) => {
        const { pauseLinks } = await import('./pause-links.ts');
        finish(await pauseLinks(host, 'pause', options));
      }),
};
