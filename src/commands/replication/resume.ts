/** `xcrepl replication resume`: lets paused links go on. */

import { leaf } from '../frame/leaf.ts';
import type { CommandModule } from '../frame/host.ts';
import { withSelection } from './selection.ts';

export const resume: CommandModule = {
  command: (host, finish) =>
    withSelection(
      leaf({
        name: 'resume',
        about:
          'Lets links that are paused go on: each catches up on its own slot and goes back to the shared stream, with everything that came meanwhile. A run that follows does it; without one the next run does. A link that needs repair is mended by the plan of replication doctor.',
        examples: [
          ['xcrepl replication resume --link shop:acme:us-east-1:eu-central-1', 'one link'],
          ['xcrepl replication resume --rule shop', 'every link of a rule'],
        ],
        exits: [0, 2, 4, 5, 6, 10],
      }),
    )
      .option('--link <link>', 'rule:tenant:source:target')
      .option('--rule <rule>', 'every link of this rule')
      .action(async (options) => {
        const { pauseLinks } = await import('./pause-links.ts');
        finish(await pauseLinks(host, 'resume', options));
      }),
};
