/** `xcrepl policy sign`. */

import { Option } from '@commander-js/extra-typings';
import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';
import { SIGNERS } from './signer-names.ts';

export const sign: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'sign',
      about:
        'Signs a file with a key in cosign’s format and writes a sigstore bundle beside it, which cosign verify-blob and xcrepl policy verify take. Nothing is sent to anybody.',
      examples: [
        ['xcrepl policy sign plan.json --key alice.key', 'writes plan.json.sigstore.json'],
        [
          'xcrepl policy sign plan.json --key alice.key --raw -o json',
          'the bare signature, as cosign sign-blob prints it',
        ],
      ],
      exits: [0, 2, 4, 5],
    })
      .argument('<file>', 'what to sign')
      .option(
        '--key <reference>',
        'private key: a path, env:, file:, cmd:, vault:, or a key service such as awskms://; the configuration’s cosign.key without it',
      )
      .addOption(new Option('--signer <program>', 'what signs').choices(SIGNERS))
      .option(
        '--passphrase <reference>',
        'env:NAME, file:PATH, cmd:… or vault:PATH#KEY; COSIGN_PASSWORD without it',
      )
      .option('--out <file>', 'where the bundle goes; FILE.sigstore.json without it')
      .option('--raw', 'write no bundle, print the signature in base64', false)
      .action(async (file, options) => {
        const { signFile } = await import('./sign-file.ts');
        finish(await signFile(host, file, options));
      }),
};
