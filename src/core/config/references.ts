/** The secret references that a configuration holds. */

import type { Config } from './schema.ts';
import { visitLeaves } from './leaves.ts';

const REFERENCE = /^(env|file|cmd|vault):/;

/** In the order of the document, each once. Tenants hold none: a scope's value is data. */
export const referencesOf = ({ tenants: _data, ...rest }: Config): string[] => {
  const found = new Set<string>();
  visitLeaves(rest, [], (_path, leaf) => {
    if (typeof leaf === 'string' && REFERENCE.test(leaf)) found.add(leaf);
  });
  return [...found];
};
