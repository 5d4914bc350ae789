/** `xcrepl replication drop`: forgets a link. */

import { leaf } from '../frame/leaf.ts';
import { withRemovalPlan } from '../policy/removal-options.ts';
import type { CommandModule } from '../frame/host.ts';

export const drop: CommandModule = {
  command: (host, finish) =>
    withRemovalPlan(
      leaf({
        name: 'drop',
        about:
          'Forgets a link: its state and counts and, with the last link of a stream, the slot, publications and origin. Rows on the target stay. While the configuration names the link, the next run copies it again.',
        examples: [
          [
            'xcrepl replication drop --link shop:acme:us-east-1:eu-central-1 --confirm eu-central-1',
            'one link',
          ],
          ['xcrepl replication drop --link shop:acme:us-east-1:eu-central-1 --dry-run', 'what would be done'],
        ],
        exits: [0, 2, 4, 5, 8, 10, 13],
      }),
    )
      .requiredOption('--link <link>', 'rule:tenant:source:target')
      .option('--confirm <region>', 'the target region, as confirmation')
      .action(async (options) => {
        const { endLink } = await import('./end-link.ts');
        finish(await endLink(host, 'dropping', options));
      }),
};
