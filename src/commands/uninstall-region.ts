/** Removes what is installed in each database of a region, after saying what that is and asking for the region's name. */

import { isInstalled, readInstalled, uninstall, type Installed } from '../providers/postgres/uninstall.ts';
import type { Host, Outcome } from './frame/host.ts';
import type { Removal } from '../core/plan/removal.ts';
import { admitRemoval, writeRemoval } from './policy/admit-removal.ts';
import type { RemovalOptions } from './policy/removal-options.ts';
import { databasesOf, onDatabase, type RegionDatabase } from './region-databases.ts';
import { confirmRegion } from './replication/confirm.ts';

interface Uninstalled {
  readonly database: string;
  readonly found: Installed;
  readonly removed: readonly string[];
}

export interface UninstallOptions extends RemovalOptions {
  readonly region: string;
  readonly confirm?: string | undefined;
}

export const uninstallRegion = async (
  host: Host,
  { region, confirm, ...options }: UninstallOptions,
): Promise<Outcome> => {
  const places = await databasesOf(host, await host.config(), region);
  if (options.out !== undefined)
    return await writeRemoval(host, await removalOf(host, region, places), options.out);
  if (!host.flags.dryRun) {
    await confirmRegion(host, region, confirm, `uninstall from ${region}`);
    const admitted = await admitRemoval(host, await removalOf(host, region, places), options);
    // First what waits there for the log: afterwards nobody can read it any more.
    await host.audit.append({ action: 'region.uninstall-asked', subject: region, facts: admitted });
    await host.audit.settle();
  }
  const databases: Uninstalled[] = [];
  for (const place of places)
    databases.push(
      await onDatabase(host, place, async (client) => {
        const subject = `${region}/${place.database}`;
        const found = await readInstalled(client, subject);
        const removed =
          host.flags.dryRun || !isInstalled(found)
            ? []
            : await uninstall(client, found, subject, {
                waitMs: host.flags.lockTimeoutMs ?? 0,
                clock: host.clock,
                signal: host.signal,
              });
        return { database: place.database, found, removed };
      }),
    );
  for (const { database, removed } of databases)
    if (removed.length > 0)
      await host.audit.append({
        action: 'region.uninstall',
        subject: `${region}/${database}`,
        facts: { removed: removed.join(', ') },
      });
  return outcome(host.flags.dryRun, region, databases);
};

const removalOf = async (host: Host, region: string, places: readonly RegionDatabase[]): Promise<Removal> => {
  const found = await Promise.all(
    places.map((place) =>
      onDatabase(host, place, async (client) => ({
        database: place.database,
        ...(await readInstalled(client, `${region}/${place.database}`)),
      })),
    ),
  );
  return {
    action: 'uninstall',
    subject: region,
    region,
    destroys: found
      .filter(isInstalled)
      .flatMap((one) => objectsOf(one).map((what) => `removes ${what} of ${one.database}`)),
    rests: found.map(({ database, since }) => ({ database, since })),
  };
};

const objectsOf = ({ slots, publications, origins, schema }: Installed): string[] => [
  ...slots.map(({ name }) => `slot ${name}`),
  ...publications.map((name) => `publication ${name}`),
  ...origins.map((name) => `origin ${name}`),
  ...(schema ? ['schema xcrepl'] : []),
];

const outcome = (dryRun: boolean, region: string, databases: readonly Uninstalled[]): Outcome => {
  const kept = 'rows that were replicated stay as they are';
  const feeding = databases.flatMap(({ found }) => found.feeding);
  return {
    document: {
      schemaVersion: 1,
      region,
      ...(dryRun ? { dryRun } : {}),
      changed: databases.some(({ removed }) => removed.length > 0),
      databases,
      kept,
    },
    table: (paint) =>
      [
        ...databases.flatMap(({ database, found, removed }) => [
          `${paint.bold(`${region}/${database}`)}: ${stateText(found, removed, dryRun)}`,
          ...removed.map((what) => `removed ${what}`),
        ]),
        ...feeding.map(({ slot, region: source }) =>
          paint.warn(
            `slot ${slot} on ${source} fed this region and holds back log: xcrepl uninstall --region ${source}`,
          ),
        ),
        kept,
      ].join('\n'),
  };
};

const stateText = (found: Installed, removed: readonly string[], dryRun: boolean): string => {
  if (!isInstalled(found)) return 'no change: nothing of ours is there';
  if (!dryRun) return `removed ${removed.length} objects`;
  const busy = new Set(found.slots.filter(({ active }) => active).map(({ name }) => `slot ${name}`));
  return `would remove ${objectsOf(found)
    .map((what) => (busy.has(what) ? `${what} (in use)` : what))
    .join(', ')}`;
};
