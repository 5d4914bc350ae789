/** `xcrepl policy test`. */

import type { CommandModule } from '../frame/host.ts';
import { leaf } from '../frame/leaf.ts';

export const test: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'test',
      about:
        'Runs declared cases against the gates: an intent, facts, and the expected verdict of each gate. Tells PASS, FAIL and ERROR, and which gates and branches no case reaches. Needs no server and no configuration, and writes nothing.',
      examples: [
        ['xcrepl policy test policies/*.yaml', 'all cases of all files'],
        ['xcrepl policy test policies/*.yaml -r approval -o json', 'those whose name fits, for a program'],
      ],
      exits: [0, 2, 6],
      writesNothing: true,
    })
      .argument('<files...>', 'files of cases (docs/policy.md)')
      .option('-r, --run <pattern>', 'only cases whose name fits this regular expression')
      .action(async (files, options) => {
        const { testPolicies } = await import('./test-policies.ts');
        finish(await testPolicies(host, files, options.run));
      }),
};
