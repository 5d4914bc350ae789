/** `xcrepl policy scan`. */

import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';

export const scan: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'scan',
      about:
        'Samples the tables that rules name at their sources, and reports columns that look like personal data (e-mail addresses, phones, IBANs, card numbers, common names) and carry no class in the rules of a tenant. Shows counts and never a value. Writes nothing.',
      examples: [
        ['xcrepl policy scan', 'every source of the configuration'],
        ['xcrepl policy scan --region us-east-1 --detailed-exitcode', 'exit 6 where something is found'],
      ],
      exits: [0, 2, 4, 5, 6],
      writesNothing: true,
    })
      .option('--region <region>', 'only this source')
      .option('--detailed-exitcode', 'exit 6 where a column is found')
      .action(async (options) => {
        const { scanColumns } = await import('./scan-columns.ts');
        finish(await scanColumns(host, options));
      }),
};
