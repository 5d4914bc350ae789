/** Removes what is installed in each database of a region, after saying what that is and asking for the region's name. */

import { isInstalled, readInstalled, uninstall, type Installed } from '../providers/postgres/uninstall.ts';
import type { Host, Outcome } from './frame/host.ts';
import { databasesOf, onDatabase } from './region-databases.ts';
import { confirmRegion } from './replication/confirm.ts';

interface Uninstalled {
  readonly database: string;
  readonly found: Installed;
  readonly removed: readonly string[];
}

export const uninstallRegion = async (
  host: Host,
  { region, confirm }: { readonly region: string; readonly confirm?: string | undefined },
): Promise<Outcome> => {
  const places = await databasesOf(host, await host.config(), region);
  if (!host.flags.dryRun) {
    await confirmRegion(host, region, confirm, `uninstall from ${region}`);
    // First what waits there for the log: afterwards nobody can read it any more.
    await host.audit.append({ action: 'region.uninstall-asked', subject: region });
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
  const slots = found.slots.map(({ name, active }) => `slot ${name}${active ? ' (in use)' : ''}`);
  const others = [
    ...found.publications.map((name) => `publication ${name}`),
    ...found.origins.map((name) => `origin ${name}`),
  ];
  return `would remove ${[...slots, ...others, ...(found.schema ? ['schema xcrepl'] : [])].join(', ')}`;
};
