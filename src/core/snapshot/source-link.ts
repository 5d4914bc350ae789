/**
 * A snapshot as a link: from the tenant's rows in a region to the region whose store it lies in. Whatever judges links,
 * and redacts what they carry, judges and redacts a snapshot alike.
 */

import type { Config, RuleConfig } from '../config/schema.ts';
import { XcError } from '../errors/xc-error.ts';
import type { Link } from '../topology/link.ts';
import { matchesNames, matchesPatterns } from '../topology/pattern.ts';
import type { TableName } from '../topology/table.ts';

export interface SnapshotScope {
  readonly region: string;
  readonly tenant: string;
  /** Region of the store. */
  readonly to: string;
  /** Patterns; what the tenant's rules name of the region where absent, every table where no rule does. */
  readonly tables?: readonly string[] | undefined;
}

/** @throws XcError XC-1006 */
export const checkScope = (config: Config, { region, tenant, to }: SnapshotScope): void => {
  if (!config.tenants[tenant]) throw new XcError('XC-1006', { subject: `tenant ${tenant}` });
  for (const name of [region, to])
    if (!config.regions[name]) throw new XcError('XC-1006', { subject: `region ${name}` });
};

/** Whether a table belongs into the snapshot. */
export const wantedTables = (config: Config, scope: SnapshotScope): ((table: TableName) => boolean) => {
  const { tables } = scope;
  if (tables) return (table) => matchesPatterns(tables, table);
  const rules = rulesOf(config, scope);
  if (rules.length === 0) return () => true;
  return (table) => rules.some((rule) => matchesPatterns(rule.tables ?? [], table));
};

/** @param tables by their names */
export const snapshotLink = (config: Config, scope: SnapshotScope, tables: readonly TableName[]): Link => {
  const { region, tenant, to } = scope;
  const settings = config.tenants[tenant]!;
  const leaveOut = rulesOf(config, scope).filter(({ from }) => from === region);
  return {
    id: `snapshot:${tenant}:${region}:${to}`,
    rule: {
      id: 'snapshot',
      tenants: [tenant],
      tables: [...tables],
      tier: 'cold',
      mode: 'active-passive',
      from: region,
      to: [to],
      dedicated: false,
      ddl: 'stop',
      verify: 'full',
      foreignKeys: 'ignore',
      leaveOut: Object.assign({}, ...leaveOut.map((rule) => rule.leaveOut)) as RuleConfig['leaveOut'],
    },
    tenant,
    scope: settings.scope,
    columns: settings.columns,
    source: region,
    target: to,
    ...(settings.residency
      ? {
          residency: {
            zones: settings.residency.zones,
            redacted: settings.residency.redacted,
            targetZone: config.regions[to]?.zone ?? '',
          },
        }
      : {}),
  };
};

const rulesOf = ({ rules }: Config, { region, tenant }: SnapshotScope): RuleConfig[] =>
  rules.filter(
    (rule) =>
      rule.tables !== undefined &&
      matchesNames(rule.tenants, tenant) &&
      [rule.from, ...rule.to].includes(region),
  );
