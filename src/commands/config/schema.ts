/** `xcrepl config schema`: the JSON Schema of the configuration file. */

import { leaf } from '../frame/leaf.ts';
import type { CommandModule } from '../frame/host.ts';

export const schema: CommandModule = {
  command: (_host, finish) =>
    leaf({
      name: 'schema',
      about:
        'Prints the JSON Schema of xcrepl.yaml, which editors use to complete and check it. It is made from the same definition that the program checks with.',
      examples: [
        [
          'xcrepl config schema > xcrepl.schema.json',
          'beside xcrepl.yaml, where its first line looks for it',
        ],
        ["xcrepl config schema | jq '.properties | keys'", 'the top-level keys'],
      ],
      exits: [0],
    }).action(async () => {
      const { configJsonSchema } = await import('../../core/config/json-schema.ts');
      const document = configJsonSchema();
      finish({ document, table: () => JSON.stringify(document, null, 2) });
    }),
};
