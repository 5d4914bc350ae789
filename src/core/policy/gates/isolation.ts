/** P5: every job and key belongs to one tenant, and no two tenants own the same rows. */

import { fail, pass, unknown, type PolicyGate } from './gate.ts';

export interface IsolationFact {
  readonly tenant: string;
  /** How its rows are told from others'. */
  readonly by: 'column' | 'schema' | 'database' | 'prefix';
  /** The same text for the same rows: column and value, schema, database, prefix. */
  readonly owns: string;
  /** Rows, objects or conflicts of another tenant that were met. */
  readonly foreign?: number;
}

const WAYS = {
  column: 'publication row filters at the source',
  schema: 'schemas of one tenant alone',
  database: 'databases of one tenant alone',
  prefix: 'object prefixes of one tenant alone',
} as const satisfies Record<IsolationFact['by'], string>;

export const isolation: PolicyGate = {
  id: 'P5',
  name: 'tenant isolation',
  branches: ['unknown', 'nothing', 'shared', 'foreign', 'apart'],
  decide(_intent, { isolation: facts }) {
    if (!facts) return unknown('how tenants are told apart');
    if (facts.length === 0) return pass('nothing', 'no link in scope');
    const owners = new Map<string, string>();
    for (const { tenant, by, owns, foreign } of facts) {
      if ((foreign ?? 0) > 0)
        return fail('foreign', `${foreign} rows or objects of another tenant were met beside ${tenant}`);
      const key = `${by} ${owns}`;
      const other = owners.get(key);
      if (other !== undefined && other !== tenant)
        return fail('shared', `${other} and ${tenant} own the same rows: ${key}`);
      owners.set(key, tenant);
    }
    const ways = [...new Set(facts.map(({ by }) => WAYS[by]))].join(' and ');
    return pass('apart', `rows are told apart by ${ways}`);
  },
};
