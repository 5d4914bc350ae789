/**
 * What the configuration's parts are made of: names, patterns, references, durations, sizes. Unknown keys are refused
 * everywhere, because a misspelt rule that is silently ignored loses data.
 */

import { splitName, splitTable, tableName as nameOfTable } from '../topology/table-name.ts';
import * as z from 'zod/mini';
import { durationMs, sizeBytes } from './quantity.ts';

// One document is checked once: compiling a checker for it costs more than it saves.
z.config({ jitless: true });

const NAME = /^[a-z0-9][a-z0-9_.-]{0,62}$/;
/** A part without quotes holds no space, so that a list written as one text is noticed. */
const TABLE_PATTERN = /^!?(?:"(?:[^"]|"")+"|[^."\s]+)\.(?:"(?:[^"]|"")+"|[^"\s][^\s"]*)$/;

/** A description: the text of the generated reference and of an editor's hint. */
export const says = <S extends z.ZodMiniType>(description: string, schema: S): S => {
  z.globalRegistry.add(schema, { description });
  return schema;
};

/** Made with its checks: `check()` would make every one of these twice, which each start of the program waits for. */
const checked = (...checks: z.core.$ZodCheck<string>[]): z.ZodMiniString =>
  new z.ZodMiniString({ type: 'string', checks });

export const named = (description?: string): z.ZodMiniString => {
  const schema = checked(
    z.regex(
      NAME,
      'lower-case letters, digits, "-", "_" and ".", at most 63, starting with a letter or digit',
    ),
  );
  return description === undefined ? schema : says(description, schema);
};
export const name = named();

const notEmpty = z.minLength(1, 'must not be empty');
export const text = checked(notEmpty);
/** With its own description: `says` on the shared one would describe every text. */
export const textOf = (description: string): z.ZodMiniString => says(description, checked(notEmpty));

export const tablePattern = checked(
  z.regex(
    TABLE_PATTERN,
    'schema.table, with * in either part, and double quotes around a part with dots or spaces; a leading ! excludes',
  ),
);

/** One table has one name, because it is looked up by it. */
export const exactTable = checked(
  z.regex(TABLE_PATTERN, 'a table as schema.table'),
  z.refine(
    (text) => splitName(text) === null || nameOfTable(splitTable(text)) === text,
    'quotes around a part with a dot, space, quote, * or ! in its name, and around no other: schema."table.name"',
  ),
);

const SECRET_REF = /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|cmd:.+|vault:[^#]+#.+)$/;

/** A secret is named, never written down. `vault:` references name the path and, after #, the key. */
export const secretRef = says(
  'Reference to a secret: env:NAME, file:PATH, cmd:COMMAND or vault:PATH#KEY. A literal secret is refused.',
  checked(z.regex(SECRET_REF, 'a reference: env:NAME, file:PATH, cmd:COMMAND or vault:PATH#KEY')),
);

/** An address is not always secret: a URL without a password in it, or a reference. */
export const secretRefOrUrl = says(
  'An http(s) URL without user and password, or a reference to one.',
  checked(
    z.refine(
      (value) => SECRET_REF.test(value) || isPlainUrl(value),
      'a reference (env:NAME, file:PATH, cmd:COMMAND, vault:PATH#KEY), or an http(s) URL without user and password',
    ),
  ),
);

const isPlainUrl = (value: string): boolean => {
  const url = URL.parse(value);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
};

export const duration = z.pipe(
  says(
    'Duration: 250ms, 5s, 15m, 2h, 7d.',
    checked(z.refine((value) => durationMs(value) !== null, 'a duration such as 250ms, 5s, 15m or 2h')),
  ),
  z.transform((value: string) => durationMs(value) ?? 0),
);

export const size = z.pipe(
  says(
    'Size in bytes: 512, 64KiB, 20MB, 1GiB.',
    z
      .union([z.string(), z.number()])
      .check(z.refine((value) => sizeBytes(String(value)) !== null, 'a size such as 64MiB, 20MB or 512')),
  ),
  z.transform((value: string | number) => sizeBytes(String(value)) ?? 0),
);
