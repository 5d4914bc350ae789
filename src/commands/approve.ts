/** `xcrepl approve`. */

import { Option } from '@commander-js/extra-typings';
import { leaf } from './frame/leaf.ts';
import type { CommandModule } from './frame/host.ts';
import { SIGNERS } from './policy/signer-names.ts';

export const approve: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'approve',
      about:
        'Approves a plan or a manifest: signs its sha256 with the approver’s key, as an in-toto statement in a DSSE envelope beside the file. Works offline. In production what destroys, promotes or overrides runs only with as many approvals as signing.approvals requires, by other keys than the one that signed the plan.',
      examples: [
        [
          'xcrepl approve plan.json --approved-by alice --key-ref alice.key',
          'with a key file, its passphrase in COSIGN_PASSWORD',
        ],
        [
          'xcrepl approve plan.json --approved-by alice --key-ref awskms:///alias/alice',
          'with a key in a key service, through cosign',
        ],
      ],
      exits: [0, 2, 4, 5, 8],
    })
      .argument('<plan>', 'a plan as replication simulate writes it, or a manifest')
      .requiredOption('--approved-by <keyid>', 'the approver: a name under signing.publicKeys, or a key id')
      .requiredOption(
        '--key-ref <reference>',
        'the approver’s private key: a path, env:, file:, cmd:, vault:, or awskms://, gcpkms://, azurekms://, hashivault://',
      )
      .option(
        '--passphrase <reference>',
        'env:NAME, file:PATH, cmd:… or vault:PATH#KEY; COSIGN_PASSWORD without it',
      )
      .addOption(new Option('--signer <program>', 'what signs').choices(SIGNERS))
      .option('--out <file>', 'where the approval goes; PLAN.approval.NAME.json without it')
      .action(async (plan, options) => {
        const { approveFile } = await import('./policy/approve-file.ts');
        finish(await approveFile(host, plan, options));
      }),
};
