/** `xcrepl policy residency-report`. */

import { Option } from '@commander-js/extra-typings';
import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';
import { SIGNERS } from './signer-names.ts';

export const residencyReport: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'residency-report',
      about:
        'Judges every flow that the configuration describes by the zones of its tenant, and counts those checked, allowed and refused for each tenant and target region. Writes the report and its signature; asks no server.',
      examples: [
        ['xcrepl policy residency-report --key alice.key', 'residency-report.json and its signature'],
        ['xcrepl policy residency-report --key alice.key --out q2.json -o json', 'for a program'],
      ],
      exits: [0, 2, 4, 5],
    })
      .option(
        '--key <reference>',
        'private key: a path, env:, file:, cmd:, vault:, or a key service such as awskms://; the configuration’s cosign.key without it',
      )
      .option(
        '--passphrase <reference>',
        'env:NAME, file:PATH, cmd:… or vault:PATH#KEY; COSIGN_PASSWORD without it',
      )
      .addOption(new Option('--signer <program>', 'what signs').choices(SIGNERS))
      .option('--out <file>', 'where the report goes', 'residency-report.json')
      .action(async (options) => {
        const { reportResidency } = await import('./report-residency.ts');
        finish(await reportResidency(host, options));
      }),
};
