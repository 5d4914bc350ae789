/**
 * A document whose parts the schema refuses, with a stand-in for each of those, so that what is said between the other
 * parts is judged too, and every mistake is told at once. Names and places in lists stay what they are.
 */

import { isRecord } from './environment.ts';

type Path = readonly (string | number)[];

/** What takes the place of a part, by where it stands; null where only leaving it out helps. */
const standIn = ([section, name]: Path, regions: readonly string[]): unknown => {
  switch (section) {
    case 'schemaVersion':
      return 1;
    case 'controlPlane':
      return 'unnamed';
    case 'regions':
      return { zone: 'unknown' };
    case 'tenants':
      return { scope: { kind: 'schema', schema: 'unknown' } };
    case 'hashKeys':
      return 'env:UNKNOWN';
    case 'rules':
      return {
        id: `refused-${name}`,
        tenants: ['*'],
        tables: ['*.*'],
        from: regions[0] ?? 'none',
        to: ['none'],
      };
    case 'budgets':
      return { tenant: `refused-${name}`, from: 'none', to: `refused-${name}` };
    default:
      return null;
  }
};

const BY_NAME: ReadonlySet<string> = new Set(['regions', 'tenants', 'hashKeys', 'rules', 'budgets']);

export interface Stood {
  readonly value: Readonly<Record<string, unknown>>;
  /** Whether a mistake at this path would be one of a stand-in, not of the document. */
  isStandIn(path: Path): boolean;
}

/** Null where the document is no map, or a section that holds others by name is none itself. */
export const withStandIns = (document: unknown, refused: readonly Path[]): Stood | null => {
  if (!isRecord(document)) return null;
  const value: Record<string, unknown> = { ...document };
  const regions = isRecord(value['regions']) ? Object.keys(value['regions']) : [];
  const places: Path[] = [];
  for (const path of refused) {
    const [section, name] = path;
    if (section === undefined) return null;
    const key = String(section);
    if (!BY_NAME.has(key)) {
      const instead = standIn(path, regions);
      if (instead === null) delete value[key];
      else value[key] = instead;
      places.push([key]);
      continue;
    }
    const held = value[key];
    if (name === undefined) return null;
    if (Array.isArray(held) && typeof name === 'number')
      value[key] = held.map((each: unknown, at) => (at === name ? standIn(path, regions) : each));
    else if (isRecord(held)) value[key] = { ...held, [name]: standIn(path, regions) };
    else return null;
    places.push([key, name]);
  }
  return {
    value,
    isStandIn: (path) => places.some((place) => place.every((part, at) => path[at] === part)),
  };
};
