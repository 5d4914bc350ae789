/** `xcrepl replication status`: one look at each server concerned. */

import { Option } from '@commander-js/extra-typings';
import { parseDuration } from '../../core/config/quantity.ts';
import { leaf } from '../frame/leaf.ts';
import type { CommandModule } from '../frame/host.ts';
import { TIERS } from './selection.ts';

export const status: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'status',
      about:
        'Shows each link: its state, its lag in time and in bytes of log, its slot, its last success, what it carried, and whether it meets its objective. Asks each server once and writes nothing.',
      examples: [
        ['xcrepl replication status --tenant acme', 'the links of one tenant'],
        ["xcrepl replication status --wait-for 'lag<5s' --timeout 2m", 'wait until all have caught up'],
        ['xcrepl replication status --watch', 'look again every two seconds'],
      ],
      exits: [0, 2, 4, 5, 6, 10],
    })
      .addOption(new Option('--tier <tier>', 'only rules of this tier').choices(TIERS))
      .option('--region <region>', 'only links from or to this region')
      .option('--tenant <tenant>', 'only links of this tenant')
      .option('--watch', 'look again and again until interrupted')
      .option(
        '--interval <duration>',
        'time between looks',
        (text) => parseDuration(text, '--interval'),
        2_000,
      )
      .option(
        '--wait-for <condition>',
        'wait until every link fulfils it: lag<5s, bytes<1MiB, state=streaming, slo=met; --timeout is the limit',
      )
      .addOption(
        new Option('--fail-on <what>', 'end with exit 6 on these').choices(['findings', 'never'] as const),
      )
      .option('--detailed-exitcode', 'the same as --fail-on findings')
      .action(async (options) => {
        const { showStatus } = await import('./show-status.ts');
        finish(await showStatus(host, options));
      }),
};
