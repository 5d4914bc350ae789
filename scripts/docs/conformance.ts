/** docs/conformance.md from the scenarios' declarations. */

import { scenarios } from '../../test/conformance/registry.ts';
import type { Scenario, Shown } from '../../test/conformance/scenario.ts';
import { GENERATED, page, table } from './markdown.ts';

export const conformanceReference = (): string => {
  const applicable = scenarios.filter(({ shown }) => shown.kind !== 'not applicable');
  return page([
    GENERATED,
    '# Conformance',
    'PostgreSQL tests its own logical replication by the scenarios of `src/test/subscription/t` in its source. Here they are told in our words, and run with xcrepl as the replicator, on two real servers. Each that passes is run by `npm test` or `npm run test:long`; what does not apply says why.',
    `${applicable.length} of ${scenarios.length} scenarios apply, and pass.`,
    ...[...Map.groupBy(scenarios, ({ source }) => source)].flatMap(([source, its]) => section(source, its)),
  ]);
};

const section = (source: string, its: readonly Scenario[]): string[] => [
  `## ${source}`,
  table(
    ['scenario', 'result'],
    its.map(({ name, shown }) => [name, resultOf(shown)]),
  ),
];

const resultOf = (shown: Shown): string => {
  switch (shown.kind) {
    case 'streamed':
    case 'run':
      return 'passes';
    case 'elsewhere':
      return `passes: \`${shown.file}\``;
    case 'not applicable':
      return `not applicable: ${shown.reason}`;
    default:
      return shown satisfies never;
  }
};
