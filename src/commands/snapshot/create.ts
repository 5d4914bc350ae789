/** `xcrepl snapshot create`. */

import { Option } from '@commander-js/extra-typings';
import { parseSize } from '../../core/config/quantity.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { listedPatterns } from '../../core/topology/pattern.ts';
import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';
import { SIGNERS } from '../policy/signer-names.ts';
import { TRANSFERS, transfers } from './options.ts';

const CHUNK_BYTES = 64 * 2 ** 20;
/** Below this a snapshot is mostly requests. */
const LEAST_CHUNK_BYTES = 64 * 1024;

const chunkBytes = (text: string): number => {
  const bytes = parseSize(text, '--chunk-bytes');
  if (bytes >= LEAST_CHUNK_BYTES) return bytes;
  throw new XcError('XC-1004', { subject: '--chunk-bytes', why: `"${text}" is less than 64KiB` });
};

export const create: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'create',
      about:
        'Copies a tenant’s tables into an object store, all as of one instant, redacted by its policy as a stream is. Parts are read side by side and streamed straight into the store; a signed manifest with the sha256 of each is written last. A snapshot that was cut short goes on where it ended: parts that are there already are not sent again. Holds a snapshot of the database and ACCESS SHARE locks on the tables while it reads.',
      examples: [
        [
          'xcrepl snapshot create --region us-east-1 --tenant acme',
          'every table of the tenant’s rules, into the region’s own store',
        ],
        [
          'xcrepl snapshot create --region us-east-1 --tenant acme --tables shop.orders --format csv --to eu-central-1',
          'one table as CSV, into another region’s store',
        ],
      ],
      exits: [0, 2, 4, 5, 6, 7, 10, 11],
    })
      .requiredOption('--region <region>', 'the region whose database is read')
      .requiredOption('--tenant <tenant>', 'whose rows')
      .option('--to <region>', 'the region whose store it goes to; its own without this')
      .option('--tables <patterns>', 'only these: schema.table with *, separated by commas', listedPatterns)
      .addOption(
        new Option('--format <format>', 'of the rows')
          .choices(['copy', 'csv', 'ndjson'] as const)
          .default('copy' as const),
      )
      .addOption(
        new Option('--compress <codec>', 'of the parts')
          .choices(['zstd', 'none'] as const)
          .default('zstd' as const),
      )
      .option(
        '--chunk-bytes <size>',
        'of a table that one part holds (default 64MiB)',
        chunkBytes,
        CHUNK_BYTES,
      )
      .option('--transfers <count>', 'parts side by side', transfers, TRANSFERS)
      .option(
        '--key <reference>',
        'private key that signs: a path, env:, file:, cmd:, vault:, or a key service; the configuration’s cosign.key without it',
      )
      .option(
        '--passphrase <reference>',
        'env:NAME, file:PATH, cmd:… or vault:PATH#KEY; COSIGN_PASSWORD without it',
      )
      .addOption(new Option('--signer <program>', 'what signs').choices(SIGNERS))
      .option('--unsigned', 'do without a signature; then verify and restore ask for the same')
      .action(async (options) => {
        const { createSnapshot } = await import('./create-snapshot.ts');
        finish(await createSnapshot(host, options));
      }),
};
