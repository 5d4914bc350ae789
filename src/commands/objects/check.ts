/** `xcrepl objects check`. */

import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';
import { withMirror } from './options.ts';

export const check: CommandModule = {
  command: (host, finish) =>
    withMirror(
      leaf({
        name: 'check',
        about:
          'Compares both sides of a mirror and writes nothing to either. Sizes and sha256 as they are recorded, or with --download the bytes of both sides. An object whose digest nobody recorded is not counted as equal.',
        examples: [
          ['xcrepl objects check us-east-1:photos/ eu-central-1:photos/ --tenant acme', 'how many differ'],
          ['xcrepl objects check photos --download --combined', 'read everything, and print a line a key'],
        ],
        exits: [0, 2, 4, 5, 6, 7, 10],
        writesNothing: true,
      }),
    )
      .option(
        '--combined',
        'print a line a key: = the same, - only at the target, + only at the source, * different, ! could not be compared',
        false,
      )
      .option('--download', 'read every object of both sides, and compare what is read', false)
      .option('--bwlimit <size>', 'with --download: bytes per second that leave the source at most')
      .option('--out <file>', 'also write the report as JSON')
      .action(async (source, target, options) => {
        const { checkObjects } = await import('./check-objects.ts');
        finish(await checkObjects(host, { source, target }, options));
      }),
};
