/** Verifies tables of a test's pair of databases, as they stand in the two catalogues. */

import type { Client } from 'pg';
import type { ColumnAction } from '../../../core/policy/column-action.ts';
import { ZERO_LSN } from '../../../core/change/lsn.ts';
import type { Marker } from '../../../core/validation/compare/side.ts';
import { systemClock } from '../../system/clock.ts';
import { systemRandom } from '../../system/random.ts';
import { readCatalogue } from '../catalogue/catalogue.ts';
import { connect } from '../connect.ts';
import { verifyLinks, type VerifyLimits, type VerifyRequest, type VerifyResult } from './verify-links.ts';
import { tableToVerify, type VerifyTable, type Window } from './verify-table.ts';

export interface Databases {
  readonly source: { readonly dsn: string };
  readonly target: { readonly dsn: string };
}

export interface VerifyOptions {
  /** Column and values of the tenants; null for whole tables. */
  readonly tenants?: { readonly column: string; readonly values: readonly string[] } | null;
  readonly actions?: Readonly<Record<string, ColumnAction>>;
  readonly limits?: Partial<VerifyLimits>;
  readonly window?: Window;
  readonly onMarker?: () => Promise<void>;
  readonly request?: Partial<VerifyRequest>;
  /** Sees every statement of either side. */
  readonly spy?: (statement: string) => void;
}

export const linkName = (tenant: string): string => `shop:${tenant}:a:b`;

const open = (dsn: string, subject: string) => connect(dsn, { subject });

const openSpied = async (dsn: string, subject: string, spy: VerifyOptions['spy']): Promise<Client> => {
  const client = await open(dsn, subject);
  if (!spy) return client;
  const query = client.query.bind(client) as (...given: unknown[]) => unknown;
  const spied = (...given: unknown[]): unknown => {
    spy(
      JSON.stringify(given, (name, value: unknown) =>
        name === '_events' || name === 'cursor' ? undefined : value,
      ),
    );
    return query(...given);
  };
  return Object.assign(client, { query: spied });
};

export const tablesOf = async (
  databases: Databases,
  names: readonly string[],
  { tenants = null, actions = {}, window }: VerifyOptions,
): Promise<VerifyTable[]> => {
  const source = await open(databases.source.dsn, 'source');
  const target = await open(databases.target.dsn, 'target');
  try {
    const ours = await readCatalogue(source);
    const theirs = await readCatalogue(target);
    const policies = (tenants?.values ?? [null]).map((value) => ({
      link: linkName(value ?? 'all'),
      scope: tenants && value !== null ? { column: tenants.column, value } : null,
      actions: new Map(Object.entries(actions)),
    }));
    return names.map((name) =>
      tableToVerify(
        { facts: ours.tables.get(name)!, types: ours.types },
        { facts: theirs.tables.get(name)!, types: theirs.types },
        policies,
        window,
      ),
    );
  } finally {
    await source.end();
    await target.end();
  }
};

export const verify = async (
  databases: Databases,
  names: readonly string[],
  options: VerifyOptions = {},
): Promise<VerifyResult> => {
  const marker: Marker = {
    emit: () => Promise.resolve(ZERO_LSN),
    passed: async () => options.onMarker?.(),
  };
  return verifyLinks({
    source: () => openSpied(databases.source.dsn, 'source', options.spy),
    target: () => openSpied(databases.target.dsn, 'target', options.spy),
    tables: await tablesOf(databases, names, options),
    marker,
    clock: { ...systemClock, sleep: () => Promise.resolve() },
    random: systemRandom,
    signal: new AbortController().signal,
    ...(options.limits ? { limits: options.limits } : {}),
    ...options.request,
  });
};
