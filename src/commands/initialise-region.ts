/** Migrates each database of a region, one after the other, and collects the grants. */

import type { Client } from 'pg';
import type { LoadedConfig } from '../core/config/loaded.ts';
import type { RuleConfig } from '../core/config/schema.ts';
import { linksOf, type Link } from '../core/topology/link.ts';
import { targetPatterns } from '../core/topology/mapping.ts';
import { matchesPatterns } from '../core/topology/pattern.ts';
import { tableName, type SequenceFacts, type TableFacts } from '../core/topology/table.ts';
import { readCatalogue } from '../providers/postgres/catalogue/catalogue.ts';
import { originFunctions, sourceGrants, targetGrants, type Grant } from '../providers/postgres/grants.ts';
import { migrate, pendingMigrations } from '../providers/postgres/migrate.ts';
import { readMigrations } from '../providers/postgres/migrations.ts';
import type { Host, Outcome } from './frame/host.ts';
import { databasesOf, onDatabase } from './region-databases.ts';

interface Initialised {
  readonly database: string;
  readonly version: number;
  readonly applied: readonly string[];
  readonly grants: readonly Grant[];
}

export const initialiseRegion = async (
  host: Host,
  { region, role }: { readonly region: string; readonly role: string },
): Promise<Outcome> => {
  const loaded = await host.config();
  const databases: Initialised[] = [];
  for (const place of await databasesOf(host, loaded, region))
    databases.push(
      await onDatabase(host, place, (client) =>
        initialise(host, loaded, client, { region, role, database: place.database }),
      ),
    );
  for (const { database, applied, version } of databases)
    if (applied.length > 0 && !host.flags.dryRun)
      await host.audit.append({
        action: 'region.init',
        subject: `${region}/${database}`,
        facts: { migrations: applied.join(', '), version },
      });
  const changed = databases.some(({ applied }) => applied.length > 0);
  const { dryRun } = host.flags;
  return {
    document: {
      schemaVersion: 1,
      region,
      ...(dryRun ? { dryRun } : {}),
      changed: changed && !dryRun,
      databases,
    },
    table: (paint) =>
      databases
        .flatMap(({ database, version, applied, grants }) => [
          `${paint.bold(`${region}/${database}`)}: ${stateText(applied, version, dryRun)}`,
          '',
          ...grants.map((grant) => `${grant.statement}; ${paint.dim(`-- ${grant.needs}`)}`),
        ])
        .join('\n'),
  };
};

const stateText = (applied: readonly string[], version: number, dryRun: boolean): string => {
  if (applied.length === 0) return `no change: schema xcrepl is at version ${version}`;
  return dryRun
    ? `would apply ${applied.join(', ')}`
    : `applied ${applied.join(', ')}: now at version ${version}`;
};

const initialise = async (
  host: Host,
  loaded: LoadedConfig,
  client: Client,
  place: { readonly region: string; readonly role: string; readonly database: string },
): Promise<Initialised> => {
  const subject = `${place.region}/${place.database}`;
  const migrations = await readMigrations();
  const { applied, version } = host.flags.dryRun
    ? {
        applied: await pendingMigrations(client, migrations, subject),
        version: migrations.at(-1)?.version ?? 0,
      }
    : await migrate(client, migrations, subject);
  return { database: place.database, version, applied, grants: await grantsFor(loaded, client, place) };
};

const rulesOf = (links: readonly Link[]): RuleConfig[] => [...new Set(links.map((link) => link.rule))];

const some = (sets: readonly (readonly string[])[], name: string): boolean =>
  sets.some((patterns) => matchesPatterns(patterns, name));

/** A region that is a source of some links and the target of others needs both kinds. */
const grantsFor = async (
  { config }: LoadedConfig,
  client: Client,
  { region, role, database }: { readonly region: string; readonly role: string; readonly database: string },
): Promise<Grant[]> => {
  const links = linksOf(config);
  const from = links.filter((link) => link.source === region);
  const to = links.filter((link) => link.target === region);
  const sets = rulesOf(from).map((rule) => rule.tables ?? []);
  const setsThere = rulesOf(to).map((rule) => (rule.map ? targetPatterns(rule) : (rule.tables ?? [])));
  const named = (name: string): boolean => some(sets, name);
  const written = (name: string): boolean => some(setsThere, name);
  const catalogue = await readCatalogue(client, { tables: (name) => named(name) || written(name) });
  const tables = (of: (name: string) => boolean): TableFacts[] =>
    [...catalogue.tables.values()].filter((table) => !table.isPartition && of(tableName(table)));
  const sequences = (of: (name: string) => boolean): SequenceFacts[] =>
    catalogue.sequences.filter(({ ownedBy }) => ownedBy !== null && of(ownedBy.table));
  return [
    ...(from.length > 0 ? sourceGrants(role, database, tables(named), sequences(named)) : []),
    ...(to.length > 0
      ? targetGrants(role, database, await originFunctions(client), tables(written), sequences(written))
      : []),
  ];
};
