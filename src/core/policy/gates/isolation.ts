/** P5: every job and key belongs to one tenant, and no two tenants own the same rows. */

import { blocked, fail, pass, unknown, type Judged, type PolicyGate } from './gate.ts';

export interface IsolationFact {
  readonly tenant: string;
  /** How its rows are told from others'. */
  readonly by: 'column' | 'schema' | 'database' | 'prefix';
  /** The same text for the same rows: column and value, schema, database, prefix. */
  readonly owns: string;
  /** Of one told by column: its name. */
  readonly column?: string | undefined;
  /** Tables that it is sent, each with region and database: who owns all of one shares it with nobody. */
  readonly tables?: readonly string[] | undefined;
  /** Rows, objects or conflicts of another tenant that were met. */
  readonly foreign?: number;
}

/** Two tenants in one table are told apart by the values of one column, or not at all. */
const judgeTables = (facts: readonly IsolationFact[]): Judged | null => {
  const first = new Map<string, IsolationFact>();
  for (const fact of facts)
    for (const table of fact.tables ?? []) {
      const other = first.get(table);
      if (!other) first.set(table, fact);
      else if (other.tenant === fact.tenant) continue;
      else if (other.by !== 'column' || fact.by !== 'column')
        return fail(
          'shared',
          `${table} is sent for ${other.tenant} by ${other.by} and for ${fact.tenant} by ${fact.by}: one of them owns rows of the other`,
        );
      else if (other.column !== fact.column)
        return blocked(
          'undecided',
          `${table} is told apart by ${other.column} for ${other.tenant} and by ${fact.column} for ${fact.tenant}: a row may be of both`,
        );
    }
  return null;
};

const WAYS = {
  column: 'publication row filters at the source',
  schema: 'schemas of one tenant alone',
  database: 'databases of one tenant alone',
  prefix: 'object prefixes of one tenant alone',
} as const satisfies Record<IsolationFact['by'], string>;

export const isolation: PolicyGate = {
  id: 'P5',
  name: 'tenant isolation',
  branches: ['unknown', 'nothing', 'shared', 'foreign', 'undecided', 'apart'],
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
    const shared = judgeTables(facts);
    if (shared) return shared;
    const ways = [...new Set(facts.map(({ by }) => WAYS[by]))].join(' and ');
    return pass('apart', `rows are told apart by ${ways}`);
  },
};
