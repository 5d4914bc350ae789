/** `xcrepl replication stop`: takes a link off its stream. */

import { leaf } from '../frame/leaf.ts';
import { withRemovalPlan } from '../policy/removal-options.ts';
import type { CommandModule } from '../frame/host.ts';

export const stop: CommandModule = {
  command: (host, finish) =>
    withRemovalPlan(
      leaf({
        name: 'stop',
        about:
          'Takes a link off its stream: its rows no longer leave the source, and those on the target stay as they are. A run that follows does so within seconds; without one it is done at once. Changes from then on are not kept, so a stopped link begins anew: drop it, then run.',
        examples: [
          [
            'xcrepl replication stop --link shop:acme:us-east-1:eu-central-1 --confirm eu-central-1',
            'one link',
          ],
          ['xcrepl replication stop --link shop:acme:us-east-1:eu-central-1 --dry-run', 'what would be done'],
        ],
        exits: [0, 2, 4, 5, 8, 10, 13],
      }),
    )
      .requiredOption('--link <link>', 'rule:tenant:source:target')
      .option('--confirm <region>', 'the target region, as confirmation')
      .action(async (options) => {
        const { endLink } = await import('./end-link.ts');
        finish(await endLink(host, 'stopping', options));
      }),
};
