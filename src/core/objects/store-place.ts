/** Where in a region's object store the objects of a tenant are, or those of nobody in particular. */

import type { ObjectsConfig } from '../config/objects-schema.ts';
import type { Clock } from '../time/clock.ts';

export type ConfigOf<K extends ObjectsConfig['kind']> = Extract<ObjectsConfig, { kind: K }>;

/** What opening a store needs of its surroundings. */
export interface StoreParts {
  readonly clock: Clock;
  /** What a relative path of the configuration starts from. */
  readonly directory: string;
  /** The value behind a reference. XC-1005 where there is none. */
  readonly secret: (reference: string) => Promise<string>;
  /** Ends every wait and request of the store. */
  readonly signal?: AbortSignal;
}

interface TenantPlace {
  readonly bucket?: string | undefined;
  readonly container?: string | undefined;
  readonly prefix?: string | undefined;
}

/** Before every key: the tenant's own prefix, else the store's and below it the tenant's name. */
export const prefixFor = (
  config: {
    readonly prefix?: string | undefined;
    readonly tenants?: Readonly<Record<string, TenantPlace>> | undefined;
  },
  tenant: string | null,
): string => {
  const below = config.prefix ?? '';
  if (tenant === null) return below;
  const own = config.tenants?.[tenant];
  // A bucket of its own needs no name before its keys.
  const rest = own?.bucket === undefined && own?.container === undefined ? `${tenant}/` : '';
  return own?.prefix ?? `${below}${rest}`;
};

/** The text itself, or the value behind it where it is a reference. */
export const dereferenced = async (
  value: string | undefined,
  { secret }: StoreParts,
): Promise<string | undefined> =>
  value !== undefined && /^(env|file|cmd|vault):/.test(value) ? await secret(value) : value;
