/** `xcrepl config init`: a commented configuration file to start from. */

import { resolve } from 'node:path';
import { XcError } from '../../core/errors/xc-error.ts';
import { leaf } from '../frame/leaf.ts';
import type { CommandModule } from '../frame/host.ts';

export const init: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'init',
      about:
        'Writes a commented xcrepl.yaml with two regions and one tenant, valid as it stands, for you to change. A file that is there already is left alone unless --force is given. With --dry-run prints the file and writes nothing.',
      examples: [
        ['xcrepl config init', 'write ./xcrepl.yaml'],
        ['xcrepl config init --dry-run', 'only print it'],
        ['xcrepl -c staging.yaml config init', 'write another file'],
      ],
      exits: [0, 2, 5],
    })
      .option('--force', 'write over a file that is there')
      .action(async ({ force }) => {
        const [{ TEMPLATE }, { PROJECT_FILE }] = await Promise.all([
          import('./template.ts'),
          import('./load.ts'),
        ]);
        const path = resolve(host.cwd, host.flags.config ?? PROJECT_FILE);
        if (!host.flags.dryRun) await write(path, TEMPLATE, force === true);
        finish({
          document: { schemaVersion: 1, path, written: !host.flags.dryRun, text: TEMPLATE },
          table: () => (host.flags.dryRun ? TEMPLATE : `wrote ${path}\nnext: xcrepl config validate`),
        });
      }),
};

const write = async (path: string, text: string, force: boolean): Promise<void> => {
  const { existsSync } = await import('node:fs');
  const { writeDurably } = await import('../../providers/system/durable-file.ts');
  if (!force && existsSync(path)) throw new XcError('XC-1008', { subject: path });
  await writeDurably(path, text);
};
