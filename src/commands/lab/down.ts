/** `xcrepl lab down`: stops a lab and removes it. */

import { resolve } from 'node:path';
import { leaf } from '../frame/leaf.ts';
import type { CommandModule } from '../frame/host.ts';
import { DEFAULT_DIRECTORY } from './lab-document.ts';

export const down: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'down',
      about:
        'Stops the servers of a lab and removes their data, logs, passwords and configuration. Only processes that run on the lab’s own data directories are stopped. Where there is no lab, nothing is done.',
      examples: [
        ['xcrepl lab down', 'the lab of .xcrepl/lab/default'],
        ['xcrepl lab down --dir /tmp/three', 'another one'],
      ],
      exits: [0, 2, 5, 11],
    })
      .option('--dir <dir>', 'directory of the lab', DEFAULT_DIRECTORY)
      .action(async ({ dir }) => {
        const { labDown, labStatus } = await import('../../providers/lab/lab.ts');
        const directory = resolve(host.cwd, dir);
        const { dryRun } = host.flags;
        const lab = dryRun ? (await labStatus(directory)).lab : await labDown(directory);
        const regions = lab?.regions.map(({ name }) => name) ?? [];
        const did = dryRun ? 'would stop and remove' : 'stopped and removed';
        finish({
          document: { schemaVersion: 1, changed: lab !== null && !dryRun, dryRun, directory, regions },
          table: () =>
            lab === null
              ? `no change: no lab in ${directory}`
              : `${did} ${regions.join(', ')} in ${directory}`,
        });
      }),
};
