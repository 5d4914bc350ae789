/** `xcrepl lab status`: what lives of a lab. */

import { resolve } from 'node:path';
import { EXIT } from '../../core/errors/exit.ts';
import { leaf } from '../frame/leaf.ts';
import type { CommandModule } from '../frame/host.ts';
import { DEFAULT_DIRECTORY, labDocument, labTable } from './lab-document.ts';

export const status: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'status',
      about:
        'Shows the servers of a lab: whether each lives and answers. Changes nothing. Ends with 6 when a lab is there and not every server of it answers.',
      examples: [
        ['xcrepl lab status', 'the lab of .xcrepl/lab/default'],
        ['xcrepl lab status --dir /tmp/three -o json', 'another one, for a program'],
      ],
      exits: [0, 2, 6],
    })
      .option('--dir <dir>', 'directory of the lab', DEFAULT_DIRECTORY)
      .action(async ({ dir }) => {
        const { labStatus } = await import('../../providers/lab/lab.ts');
        const directory = resolve(host.cwd, dir);
        const { lab, state, regions } = await labStatus(directory);
        const answering = Object.values(regions).every(({ answers }) => answers);
        const shown = lab && labDocument(lab);
        finish({
          document: {
            schemaVersion: 1,
            directory,
            state,
            ...shown,
            regions: (shown?.regions ?? []).map((region) => ({ ...region, ...regions[region.region] })),
          },
          table: (paint) => {
            if (!shown) return `no lab in ${directory}`;
            return labTable(paint, shown, (region) => {
              if (regions[region]?.answers) return paint.good('up');
              return paint.bad(regions[region]?.pid ? 'not answering' : 'dead');
            });
          },
          exit: lab === null || (state === 'up' && answering) ? EXIT.done : EXIT.findings,
        });
      }),
};
