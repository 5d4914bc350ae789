/** `xcrepl policy publish`. */

import { Option } from '@commander-js/extra-typings';
import { parseDuration } from '../../core/config/quantity.ts';
import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';
import { SIGNERS } from './signer-names.ts';

/** Long enough for a month without anybody, short enough that a hidden new version is missed. */
const LIFE = '30d';

export const publish: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'publish',
      about:
        'Signs a manifest (of a tenant, or of rules) and the pointer that says which version is the newest and until when. Both lie beside the file; runs take it up from the directory signing.manifests. Asks nobody.',
      examples: [
        ['xcrepl policy publish manifests/acme.yaml --key alice.key', 'signature and pointer, for 30 days'],
        [
          'xcrepl policy publish manifests/acme.yaml --key gcpkms://… --expires 7d',
          'with a key in a key service',
        ],
      ],
      exits: [0, 2, 4, 5],
    })
      .argument('<manifest>', 'a YAML file')
      .option(
        '--key <reference>',
        'private key: a path, env:, file:, cmd:, vault:, or a key service such as awskms://; the configuration’s cosign.key without it',
      )
      .option(
        '--passphrase <reference>',
        'env:NAME, file:PATH, cmd:… or vault:PATH#KEY; COSIGN_PASSWORD without it',
      )
      .addOption(new Option('--signer <program>', 'what signs').choices(SIGNERS))
      .option('--expires <duration>', 'how long the pointer is good for', LIFE)
      .action(async (file, options) => {
        const { publishFile } = await import('./publish-file.ts');
        const expiresInMs = parseDuration(options.expires, '--expires');
        finish(await publishFile(host, file, { ...options, expiresInMs }));
      }),
};
