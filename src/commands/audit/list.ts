/** `xcrepl audit list`. */

import { parsePositive } from './number.ts';
import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';

export const list: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'list',
      about: 'Lists the newest entries of the audit log of this directory, oldest first. Writes nothing.',
      examples: [
        ['xcrepl audit list', 'the last 20 entries'],
        ['xcrepl audit list --tenant acme --last 500 -o ndjson', 'one line an entry, for a program'],
      ],
      exits: [0, 2],
      writesNothing: true,
    })
      .option('--last <n>', 'at most this many entries', parsePositive, 20)
      .option('--tenant <tenant>', 'of this tenant alone')
      .option('--action <action>', 'of this action alone, such as replication.run-end')
      .option('--run <run>', 'of this run alone')
      .action(async (options) => {
        const { listEntries } = await import('./list-entries.ts');
        finish(await listEntries(host, options));
      }),
};
