/** `xcrepl snapshot prune`. */

import { parseKeeping } from '../../core/snapshot/prune.ts';
import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';

export const prune: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'prune',
      about:
        'Removes a tenant’s snapshots that are not to be kept, parts that no kept manifest names, and what was begun and not finished for a week. Says first what it would remove. What a kept manifest names is never removed; where a manifest cannot be read, nothing is.',
      examples: [
        ['xcrepl snapshot prune --from us-east-1 --tenant acme --keep 7 --dry-run', 'what would go'],
        [
          'xcrepl snapshot prune --from us-east-1 --tenant acme --keep daily=7,weekly=4,monthly=12 --confirm us-east-1',
          'the newest of seven days, four weeks and twelve months stay',
        ],
      ],
      exits: [0, 2, 4, 5, 6, 13],
    })
      .requiredOption('--from <region>', 'region of the store')
      .requiredOption('--tenant <tenant>', 'whose snapshots')
      .requiredOption(
        '--keep <rules>',
        'so many of the newest, or last=N,daily=N,weekly=N,monthly=N',
        parseKeeping,
      )
      .option('--confirm <region>', 'region of the store, as confirmation')
      .action(async (options) => {
        const { pruneSnapshots } = await import('./prune-snapshots.ts');
        finish(await pruneSnapshots(host, options));
      }),
};
