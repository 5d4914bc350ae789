/** `xcrepl audit check-proof`. */

import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';

export const checkProof: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'check-proof',
      about:
        'Checks a proof of `audit prove` with nothing but the log’s public key: neither the log nor a configuration is needed. Writes nothing.',
      examples: [
        ['xcrepl audit check-proof entry-1207.tlog-proof --key log-key.pub', 'what somebody gave you'],
        ['xcrepl audit check-proof grown.proof --key log-key.pub -o json', 'the same for a program'],
      ],
      exits: [0, 2, 6],
      writesNothing: true,
    })
      .argument('<file>', 'the proof')
      .requiredOption('--key <file>', 'public key of the log, PEM')
      .action(async (file, options) => {
        const { checkProofFile } = await import('./check-proof-file.ts');
        finish(await checkProofFile(host, file, options.key));
      }),
};
