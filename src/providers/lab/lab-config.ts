/** The configuration file that describes a lab's regions: an operator's file, whose secrets are references. */

import { Document } from 'yaml';
import { dirname, join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import type { ConfigInput } from '../../core/config/schema.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import type { Lab } from './lab-state.ts';
import { readIfThere, writeWhole } from './text-file.ts';

export interface LabConfigParts {
  readonly tenants?: ConfigInput['tenants'];
  readonly rules?: ConfigInput['rules'];
  /** Names of keys for hashed columns; each gets a random key in a file of its own. */
  readonly hashKeys?: readonly string[];
}

/** Places of well-known cloud regions, in degrees; a region of another name gets none. */
const LOCATIONS: Readonly<Record<string, { lat: number; lon: number }>> = {
  'us-east-1': { lat: 39.0, lon: -77.5 },
  'us-west-2': { lat: 45.8, lon: -119.7 },
  'eu-central-1': { lat: 50.1, lon: 8.7 },
  'eu-west-1': { lat: 53.3, lon: -6.3 },
  'ap-southeast-1': { lat: 1.3, lon: 103.8 },
  'ap-northeast-1': { lat: 35.7, lon: 139.7 },
};

const FIRST_LINE = 'Written by xcrepl lab up. The lab owns the files that it refers to.';

/** @throws XcError XC-1204 when a file stands there that no lab wrote */
export const refuseForeignConfig = async (path: string): Promise<void> => {
  const there = await readIfThere(path);
  if (there !== null && !there.startsWith(`# ${FIRST_LINE}`)) throw new XcError('XC-1204', { subject: path });
};

/**
 * Writes the file, and the keys that it refers to.
 * @throws XcError XC-1204
 */
export const writeLabConfig = async (lab: Lab, directory: string, parts: LabConfigParts): Promise<void> => {
  await refuseForeignConfig(lab.configPath);
  const hashKeys: Record<string, string> = {};
  for (const name of parts.hashKeys ?? []) {
    const path = join(directory, 'secrets', `${name}.key`);
    await writeWhole(path, `${randomBytes(32).toString('hex')}\n`, 0o600);
    hashKeys[name] = `file:${path}`;
  }
  const document = new Document(configOf(lab, parts, hashKeys));
  document.commentBefore = ` ${FIRST_LINE}`;
  await mkdir(dirname(lab.configPath), { recursive: true });
  await writeWhole(lab.configPath, document.toString({ lineWidth: 110 }), 0o644);
};

const configOf = (lab: Lab, parts: LabConfigParts, hashKeys: Record<string, string>): ConfigInput => ({
  schemaVersion: 1,
  controlPlane: 'lab',
  environment: 'lab',
  registry: 'none',
  ...(Object.keys(hashKeys).length > 0 ? { hashKeys } : {}),
  regions: Object.fromEntries(
    lab.regions.map(({ name, dsnFile }, index) => [
      name,
      {
        zone: zoneOf(name),
        ...(LOCATIONS[name] ? { location: LOCATIONS[name] } : {}),
        initialRole: index === 0 ? ('primary' as const) : ('replica' as const),
        postgres: { dsn: `file:${dsnFile}` },
      },
    ]),
  ),
  ...(parts.tenants ? { tenants: parts.tenants } : {}),
  ...(parts.rules ? { rules: parts.rules } : {}),
});

/** eu-central-1 lies in zone eu. */
const zoneOf = (region: string): string => region.split('-')[0] || region;
