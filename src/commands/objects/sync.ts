/** `xcrepl objects sync`. */

import { Option } from '@commander-js/extra-typings';
import { parseSize } from '../../core/config/quantity.ts';
import { parseDeleteLimit } from '../../core/mirror/totals.ts';
import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';
import { atOnce, withMirror } from './options.ts';

const TRANSFERS = 32;
const CANARY = 'xcrepl-canary';

export const sync: CommandModule = {
  command: (host, finish) =>
    withMirror(
      leaf({
        name: 'sync',
        about:
          'Makes the target’s objects below a prefix equal to the source’s: compared by size and sha256, copied inside the cloud where that is possible, streamed through otherwise, and each one read back or attested by the store before it counts. What only the target has is deleted last, and only when nothing failed. A sync that was cut short goes on where it was; it ends with a signed manifest of the target and an audit entry.',
        examples: [
          ['xcrepl objects sync us-east-1:photos/ eu-central-1:photos/ --tenant acme', 'mirror one prefix'],
          [
            'xcrepl objects sync us-east-1: eu-central-1: --tenant acme --dry-run --out plan.json',
            'write the plan and nothing else',
          ],
          ['xcrepl objects sync --plan plan.json', 'do exactly what was planned'],
        ],
        exits: [0, 2, 3, 4, 5, 6, 7, 8, 10, 11],
      }),
    )
      .addOption(
        new Option('--transfers <count>', 'objects that are copied at once')
          .argParser(atOnce('--transfers'))
          .default(TRANSFERS),
      )
      .option('--bwlimit <size>', 'bytes per second that leave the source at most', (text) =>
        parseSize(text, '--bwlimit'),
      )
      .option(
        '--max-delete <limit>',
        'stop before anything is done where more would be deleted: a count, or a part of the target’s objects (default 50%)',
        parseDeleteLimit,
      )
      .option('--immutable', 'never replace an object that the target has', false)
      .addOption(
        new Option(
          '--check-access [key]',
          'do nothing unless both sides have this canary object, and alike',
        ).preset(CANARY),
      )
      .option('--out <file>', 'with --dry-run: where the plan goes')
      .option('--plan <file>', 'a plan that --dry-run --out wrote')
      .option('--approval <file...>', 'approvals of the plan; those beside it where none is named')
      .option('--report-dir <directory>', 'where the report goes', 'reports')
      .action(async (source, target, { reportDir, tenant, checkAccess, ...options }) => {
        const { syncObjects } = await import('./sync-objects.ts');
        const canary = checkAccess === undefined ? {} : { checkAccess };
        finish(await syncObjects(host, { source, target, tenant, reportDir }, { ...options, ...canary }));
      }),
};
