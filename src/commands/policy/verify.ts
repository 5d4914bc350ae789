/** `xcrepl policy verify`. */

import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';

export const verify: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'verify',
      about:
        'Verifies a file against its sigstore bundle and the public keys that are given. Works offline and asks nobody; what does not hold is XC-2030. Writes nothing.',
      examples: [
        ['xcrepl policy verify plan.json --key alice.pub', 'plan.json.sigstore.json by alice'],
        [
          'xcrepl policy verify plan.json --bundle p.bundle --key alice.pub --key bob.pub',
          'by either of two keys',
        ],
      ],
      exits: [0, 2, 7],
      writesNothing: true,
    })
      .argument('<file>', 'what was signed')
      .requiredOption('--key <file...>', 'public keys, PEM')
      .option('--bundle <file>', 'the bundle; FILE.sigstore.json without it')
      .action(async (file, options) => {
        const { verifyFile } = await import('./verify-file.ts');
        finish(await verifyFile(host, file, options));
      }),
};
