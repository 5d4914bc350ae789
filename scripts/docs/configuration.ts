/** docs/configuration.md from the schema. */

import { configJsonSchema } from '../../src/core/config/json-schema.ts';
import { TEMPLATE } from '../../src/commands/config/template.ts';
import { ENVIRONMENT_VARIABLES } from '../../src/core/config/environment.ts';
import { GENERATED, page, table } from './markdown.ts';

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly const?: string | number;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly description?: string;
}

export const configurationReference = (): string =>
  page([
    GENERATED,
    '# Configuration',
    'Values come from flags, then the environment, then the project file, then the user file, then defaults; `xcrepl config show --origin` prints each value with its source. The project file is `xcrepl.yaml` in the working directory, or the one that `-c` or `XCREPL_CONFIG` names. The user file is `config.yaml` in `$XDG_CONFIG_HOME/xcrepl` (`~/.config/xcrepl`) and may give only `environment`, `registry`, `vault` and `cosign`. `xcrepl config validate` lists every mistake with file, line and column; unknown keys are refused.',
    '## Secrets',
    'A secret is named, never written down:',
    table(
      ['reference', 'value'],
      [
        ['`env:NAME`', 'an environment variable'],
        [
          '`file:PATH`',
          'a file, without its last line break; a relative path starts at the configuration file',
        ],
        [
          '`cmd:COMMAND`',
          'what a command prints, run by the shell in the directory of the configuration file, at most 30 s',
        ],
        [
          '`vault:PATH#KEY`',
          'a key of a KV secret (version 1 or 2) in Vault, at `vault.address` or `VAULT_ADDR`, with `vault.token`, `VAULT_TOKEN` or `~/.vault-token`',
        ],
      ],
    ),
    '## Keys',
    table(['key', 'value', 'default', ''], rowsOf(configJsonSchema(), '')),
    '## Environment variables',
    'Without a project file the environment alone describes two regions.',
    table(
      ['variable', 'default', ''],
      ENVIRONMENT_VARIABLES.map(({ name, default: value, says }) => [
        `\`${name}\``,
        value === undefined ? '' : `\`${value}\``,
        says,
      ]),
    ),
    '## Simulation',
    'A run is a simulation with `environment: lab`, with `SIMULATION_MODE=true`, or when there is neither a project file nor a DSN in the environment. Otherwise a secret that is missing is an error (XC-1005), never a quiet change to simulation.',
    '## A file to start from',
    `This is what \`xcrepl config init\` writes.\n\n\`\`\`yaml\n${TEMPLATE}\`\`\``,
  ]);

const rowsOf = (schema: JsonSchema, path: string): string[][] => {
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (alternatives) {
    const rows = alternatives.flatMap((alternative) => rowsOf(alternative, path));
    return rows.filter(
      (row, index) => rows.findIndex((other) => other[0] === row[0] && other[1] === row[1]) === index,
    );
  }
  if (schema.items) return rowsOf(schema.items, `${path}[]`);
  const rows: string[][] = [];
  for (const [key, value] of Object.entries(schema.properties ?? {})) {
    const name = path === '' ? key : `${path}.${key}`;
    rows.push(row(name, value, schema.required?.includes(key) === true && value.default === undefined));
    rows.push(...rowsOf(value, name));
  }
  if (typeof schema.additionalProperties === 'object') {
    const name = `${path}.<name>`;
    const { additionalProperties: value } = schema;
    if (!value.properties) rows.push(row(name, value, false));
    rows.push(...rowsOf(value, name));
  }
  return rows;
};

const row = (name: string, schema: JsonSchema, required: boolean): string[] => [
  `\`${name}\``,
  valueOf(schema),
  schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``,
  [required ? 'Required.' : '', schema.description ?? ''].filter(Boolean).join(' '),
];

const valueOf = (schema: JsonSchema): string => {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (alternatives) return [...new Set(alternatives.map(valueOf))].join(' or ');
  if (schema.items) return `list of ${valueOf(schema.items)}`;
  return [schema.type ?? 'string'].flat().map(typeWord).join(' or ');
};

const typeWord = (type: string): string =>
  ({ string: 'text', integer: 'whole number', object: 'map' })[type] ?? type;
