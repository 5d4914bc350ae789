/** `xcrepl snapshot restore`. */

import { Option } from '@commander-js/extra-typings';
import { listedPatterns } from '../../core/topology/pattern.ts';
import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';
import { collected, TRANSFERS, transfers, withPlace } from './options.ts';

export const restore: CommandModule = {
  command: (host, finish) =>
    withPlace(
      leaf({
        name: 'restore',
        about:
          'Loads a snapshot’s rows into the tables of a region, or with --as into a schema beside them. Checks the signature first, each part’s sha256 before its rows are committed, and at the end count and checksum of every table in the database; brings sequences forward. Goes on where it was cut short. Rows that are there already are refused.',
        examples: [
          ['xcrepl snapshot restore latest --tenant acme --to eu-central-1', 'into empty tables'],
          [
            'xcrepl snapshot restore sn_01J… --to us-east-1 --as restored --tables shop.orders',
            'one table, beside the original',
          ],
          [
            'xcrepl snapshot restore sn_01J… --to eu-central-1 --existing replace --confirm eu-central-1',
            'in place of the tenant’s rows',
          ],
        ],
        exits: [0, 2, 4, 5, 6, 7, 8, 10, 11, 13],
      }),
    )
      .argument('<snapshot>', 'its id, or latest')
      .requiredOption('--to <region>', 'the region whose database is written')
      .option('--tables <patterns>', 'only these: schema.table with *, separated by commas', listedPatterns)
      .option('--as <schema>', 'into tables of this schema, which are made from the manifest')
      .addOption(
        new Option('--existing <what>', 'what to do with rows of the tenant that are there')
          .choices(['refuse', 'replace'] as const)
          .default('refuse' as const),
      )
      .option('--confirm <region>', 'with --existing replace: the region, as confirmation')
      .option('--transfers <count>', 'parts side by side', transfers, TRANSFERS)
      .option(
        '--key <file>',
        'public key that may have signed it, repeatable; those of the configuration with the scope snapshot without it',
        collected,
      )
      .option('--unsigned', 'take one that nobody signed')
      .action(async (id, options) => {
        const { restoreSnapshot } = await import('./restore-snapshot.ts');
        finish(await restoreSnapshot(host, id, options));
      }),
};
