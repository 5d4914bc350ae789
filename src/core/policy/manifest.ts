/**
 * Signed manifests: one tenant as an entry of `tenants`, or rules, with a version. They win over the configuration file,
 * and take effect only when signed; the file's own bytes are what is signed.
 */

import { parse as parseYaml } from 'yaml';
import * as z from 'zod/mini';
import { crossCheck } from '../config/cross-check.ts';
import { mistakesOf } from '../config/issues.ts';
import { pathText } from '../config/mistake.ts';
import { ruleSchema } from '../config/rule-schema.ts';
import type { Config } from '../config/schema.ts';
import { tenantSchema } from '../config/tenant-schema.ts';
import { XcError } from '../errors/xc-error.ts';

const frame = {
  schemaVersion: z.literal(1),
  /** Of which it speaks: a manifest of one control plane is nothing to another. */
  controlPlane: z.string(),
  /** Grows with each publishing. */
  version: z.int().check(z.positive('must be at least 1')),
};

const manifestSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...frame,
    kind: z.literal('tenant'),
    /** Exactly one entry of `tenants`: name and value. */
    tenant: z
      .record(z.string(), tenantSchema)
      .check(z.refine((entry) => Object.keys(entry).length === 1, 'exactly one tenant')),
  }),
  z.strictObject({
    ...frame,
    kind: z.literal('replication'),
    name: z.string().check(z.minLength(1)),
    rules: z.array(ruleSchema).check(z.minLength(1, 'at least one rule')),
  }),
]);

export type Manifest = z.output<typeof manifestSchema>;

/** What signatures, pointers and known versions call it: "tenant/acme", "replication/shop". */
export const manifestName = (manifest: Manifest): string =>
  manifest.kind === 'tenant' ? `tenant/${Object.keys(manifest.tenant)[0]!}` : `replication/${manifest.name}`;

/** @throws XcError XC-1403 with every mistake */
export const parseManifest = (text: string, file: string): Manifest => {
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (error) {
    throw new XcError('XC-1403', { subject: file, why: error instanceof Error ? error.message : 'no YAML' });
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const mistakes = mistakesOf(parsed.error.issues, manifestSchema, value);
  throw new XcError('XC-1403', {
    subject: file,
    why: mistakes.map(({ path, message }) => `${pathText(path)}: ${message}`).join('\n'),
  });
};

const refuse = (subject: string, why: string): XcError => new XcError('XC-1403', { subject, why });

/**
 * The configuration with what the manifests say in place of what the file says.
 * @throws XcError XC-1403 for two manifests of one name, for one of another control plane, and where the whole does not fit
 */
export const withManifests = (
  config: Config,
  manifests: readonly { readonly file: string; readonly manifest: Manifest }[],
): Config => {
  const names = new Map<string, string>();
  let merged = config;
  for (const { file, manifest } of manifests) {
    const name = manifestName(manifest);
    if (manifest.controlPlane !== config.controlPlane)
      throw refuse(
        file,
        `it is of control plane ${manifest.controlPlane}, and this is ${config.controlPlane}`,
      );
    const other = names.get(name);
    if (other !== undefined) throw refuse(file, `${other} is a manifest of ${name}, too`);
    names.set(name, file);
    if (manifest.kind === 'tenant')
      merged = { ...merged, tenants: { ...merged.tenants, ...manifest.tenant } };
    else {
      const own = new Set(manifest.rules.map(({ id }) => id));
      merged = { ...merged, rules: [...merged.rules.filter(({ id }) => !own.has(id)), ...manifest.rules] };
    }
  }
  const mistakes = crossCheck(merged, true);
  if (mistakes.length > 0)
    throw refuse(
      'the configuration with its manifests',
      mistakes.map(({ path, message }) => `${pathText(path)}: ${message}`).join('\n'),
    );
  return merged;
};
