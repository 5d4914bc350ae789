/** docs/correctness.md from the rules' declarations. */

import { rules } from '../../test/correctness/rules.ts';
import { GENERATED, page, table } from './markdown.ts';

export const correctnessReference = (): string =>
  page([
    GENERATED,
    '# Correctness',
    'What replication must never do wrong, because the obvious way loses rows, shows them to others, or breaks the application. Each rule has tests that fail where it is broken; `npm test` and `npm run test:long` run them, and a test of the house looks that they are there.',
    table(
      ['rule', 'what holds', 'shown by'],
      rules.map(({ number, says, shown }) => [
        String(number),
        says,
        Object.entries(shown)
          .map(([file, tests]) => `\`${file}\`: ${tests.map((test) => `“${test}”`).join(', ')}`)
          .join('; '),
      ]),
    ),
  ]);
