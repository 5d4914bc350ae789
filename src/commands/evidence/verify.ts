/** `xcrepl evidence verify`. */

import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';

export const verify: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'verify',
      about:
        'Checks an archive of evidence with nothing but the archive, and the public keys that you know: what is proved, what is not, and what is wrong. Needs no configuration, asks nobody, and writes nothing.',
      examples: [
        ['xcrepl evidence verify evidence-rn_01J….tar --key alice.pub', 'exported by alice, whom you know'],
        ['xcrepl evidence verify e.tar -o json', 'every claim, for a program'],
      ],
      exits: [0, 2, 6],
      writesNothing: true,
    })
      .argument('<bundle>', 'the archive')
      .option('--key <file...>', 'public keys that you trust, PEM')
      .action(async (bundle, options) => {
        const { verifyBundle } = await import('./verify-bundle.ts');
        finish(await verifyBundle(host, bundle, options.key ?? []));
      }),
};
