/** The effective configuration as a person would write it: what was written, with the defaults filled in. */

import type { TracedConfig } from './loaded.ts';
import { pathText, type Mistake } from './mistake.ts';
import { valueAt, visitLeaves } from './leaves.ts';

/** References stay references, and "5s" stays "5s". */
export const effectiveConfig = ({ config, written }: TracedConfig): unknown => fill(config, written, []);

const fill = (value: unknown, written: unknown, path: Mistake['path']): unknown => {
  const own = valueAt(written, path);
  if (own !== undefined && (typeof own !== 'object' || own === null)) return own;
  if (Array.isArray(value)) return value.map((item: unknown, index) => fill(item, written, [...path, index]));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, fill(item as unknown, written, [...path, key])]),
  );
};

export interface Leaf {
  readonly path: string;
  readonly value: unknown;
  readonly origin: string;
}

export const leavesOf = (loaded: TracedConfig): Leaf[] => {
  const leaves: Leaf[] = [];
  visitLeaves(loaded.config, [], (path) => {
    const text = pathText(path);
    const value = valueAt(effectiveConfig(loaded), path) ?? valueAt(loaded.config, path);
    leaves.push({ path: text, value, origin: loaded.origin(text) });
  });
  return leaves;
};
