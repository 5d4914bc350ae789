/** `xcrepl evidence export`. */

import { Option } from '@commander-js/extra-typings';
import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';
import { SIGNERS } from '../policy/signer-names.ts';

export const exportRun: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'export',
      about:
        'Makes one archive of a run: plan, approvals, journal, report, checksums, proofs that its entries are in the audit log, public keys, and a README that says how to check each with stock tools. Holds keys and hashes of rows and no values. Asks no server.',
      examples: [
        [
          'xcrepl evidence export rn_01J… --key alice.key',
          'evidence-rn_01J….tar, its checksums signed by alice',
        ],
        ['xcrepl evidence export rn_01J… --out e.tar', 'without a signature, which verification says'],
      ],
      exits: [0, 2, 4, 5, 6],
    })
      .argument('<run>', 'a run’s id')
      .option('--out <file>', 'where the archive goes; evidence-RUN.tar without it')
      .option('--report-dir <dir>', 'where the run’s reports are', 'reports')
      .option(
        '--key <reference>',
        'private key that signs the checksums: a path, env:, file:, cmd:, vault:, or a key service; the configuration’s cosign.key without it',
      )
      .option(
        '--passphrase <reference>',
        'env:NAME, file:PATH, cmd:… or vault:PATH#KEY; COSIGN_PASSWORD without it',
      )
      .addOption(new Option('--signer <program>', 'what signs').choices(SIGNERS))
      .action(async (run, options) => {
        const { exportEvidence } = await import('./export-evidence.ts');
        finish(await exportEvidence(host, run, options));
      }),
};
