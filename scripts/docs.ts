/**
 * Writes the references that code decides: docs/cli.md from the command tree, docs/errors.md from the catalogue,
 * docs/conformance.md and docs/correctness.md from what tests show, docs/configuration.md and xcrepl.schema.json from the schema, and infra/sql from the migrations. With --check writes
 * nothing, names what is stale and ends with 1.
 */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cliReference } from './docs/cli.ts';
import { conformanceReference } from './docs/conformance.ts';
import { configurationReference } from './docs/configuration.ts';
import { correctnessReference } from './docs/correctness.ts';
import { errorReference } from './docs/errors.ts';
import { sqlPages } from './docs/sql.ts';
import { configJsonSchema } from '../src/core/config/json-schema.ts';

const root = new URL('../', import.meta.url);
const check = process.argv.includes('--check');

const pages: readonly [path: string, text: string][] = [
  ['docs/cli.md', await cliReference()],
  ['docs/errors.md', errorReference()],
  ['docs/conformance.md', conformanceReference()],
  ['docs/correctness.md', correctnessReference()],
  ['docs/configuration.md', configurationReference()],
  ['xcrepl.schema.json', `${JSON.stringify(configJsonSchema(), null, 2)}\n`],
  ...(await sqlPages()),
];

const stale: string[] = [];
for (const [path, text] of pages) {
  const url = new URL(path, root);
  const before = await readFile(url, 'utf8').catch(() => null);
  if (before === text) continue;
  stale.push(path);
  if (check) continue;
  await mkdir(new URL('./', url), { recursive: true });
  await writeFile(url, text);
}
if (check && stale.length > 0) {
  process.stderr.write(`stale: ${stale.join(', ')}\nrun: npm run docs\n`);
  process.exitCode = 1;
} else process.stdout.write(stale.length > 0 ? `wrote ${stale.join(', ')}\n` : 'up to date\n');
