/** `xcrepl policy keygen`. */

import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';

export const keygen: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'keygen',
      about:
        'Makes a NIST P-256 key and writes it as PREFIX.key, sealed with a passphrase as cosign seals its keys and readable by its owner alone, and PREFIX.pub. Never overwrites a file. cosign signs and verifies with both.',
      examples: [
        ['COSIGN_PASSWORD=… xcrepl policy keygen --out alice', 'alice.key and alice.pub'],
        ['xcrepl policy keygen --out ci --passphrase file:/run/secrets/ci', 'with the passphrase in a file'],
      ],
      exits: [0, 2, 5],
    })
      .option('--out <prefix>', 'path without its ending', 'xcrepl')
      .option(
        '--passphrase <reference>',
        'env:NAME, file:PATH, cmd:… or vault:PATH#KEY; COSIGN_PASSWORD without it',
      )
      .action(async (options) => {
        const { makeKeys } = await import('./make-keys.ts');
        finish(await makeKeys(host, options));
      }),
};
