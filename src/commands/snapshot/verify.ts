/** `xcrepl snapshot verify`. */

import { XcError } from '../../core/errors/xc-error.ts';
import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';
import { collected, TRANSFERS, transfers, withPlace } from './options.ts';

const share = (text: string): number => {
  const value = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text);
  if (value > 0 && value <= 1) return value;
  throw new XcError('XC-1004', { subject: '--sample', why: `"${text}" is no share: 0.1, 10%` });
};

export const verify: CommandModule = {
  command: (host, finish) =>
    withPlace(
      leaf({
        name: 'verify',
        about:
          'Reads every part of a snapshot back from its store, and compares it with the signed manifest. Names each fault: a part that is missing, cut off, changed, swapped, or of another snapshot; a manifest that nobody trusted signed. Writes nothing.',
        examples: [
          ['xcrepl snapshot verify latest --tenant acme', 'every byte of the newest'],
          ['xcrepl snapshot verify sn_01J… --sample 5%', 'a fast look at some parts'],
        ],
        exits: [0, 2, 4, 5, 6],
        writesNothing: true,
      }),
    )
      .argument('<snapshot>', 'its id, or latest')
      .option('--sample <share>', 'read only this share of the parts', share, 1)
      .option('--transfers <count>', 'parts side by side', transfers, TRANSFERS)
      .option(
        '--key <file>',
        'public key that may have signed it, repeatable; those of the configuration with the scope snapshot without it',
        collected,
      )
      .option('--unsigned', 'take one that nobody signed')
      .action(async (id, options) => {
        const { verifySnapshot } = await import('./verify-snapshot.ts');
        finish(await verifySnapshot(host, id, options));
      }),
};
