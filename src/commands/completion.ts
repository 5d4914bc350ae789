/** `xcrepl completion SHELL`: a completion script made from the command tree. */

import { Argument } from '@commander-js/extra-typings';
import { describeTree } from './frame/describe.ts';
import { leaf } from './frame/leaf.ts';
import type { CommandModule } from './frame/host.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

export const completion: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'completion',
      about:
        'Prints a script that completes commands, options and their values in a shell. It is made from the command tree, so print it again after an upgrade.',
      examples: [
        ['source <(xcrepl completion bash)', 'in this bash session'],
        ['xcrepl completion fish > ~/.config/fish/completions/xcrepl.fish', 'for every fish session'],
      ],
    })
      .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
      .action(async (shell) => {
        const [{ tree }, scripts] = await Promise.all([
          import('./index.ts'),
          import('./frame/completion-script.ts'),
        ]);
        const description = await describeTree(tree, host);
        const script = scripts.completionScript(shell, description);
        finish({ document: { schemaVersion: 1, shell, script }, table: () => script });
      }),
};
