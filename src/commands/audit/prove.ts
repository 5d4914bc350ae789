/** `xcrepl audit prove`. */

import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';
import { parseIndex } from './number.ts';

export const prove: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'prove',
      about:
        'Writes a proof that stands alone: that an entry is in the audit log (C2SP tlog-proof), or, with --consistency, that the log of M entries is the beginning of that of N. Whoever has the log’s public key (.xcrepl/audit/log-key.pub) can check it with xcrepl audit check-proof, or with other tools.',
      examples: [
        ['xcrepl audit prove 1207 --out entry-1207.tlog-proof', 'one entry'],
        [
          'xcrepl audit prove --consistency 1000 1300 --out grown.proof',
          'that nothing before 1000 was changed',
        ],
      ],
      exits: [0, 2, 6],
    })
      .argument('[entry]', 'number of the entry', parseIndex)
      .option('--consistency <m...>', 'sizes of the earlier and the later log')
      .option('--out <file>', 'file to write; the proof goes to standard output without it')
      .action(async (entry, options) => {
        const { proveFromLog } = await import('./prove-from-log.ts');
        finish(await proveFromLog(host, entry, options));
      }),
};
