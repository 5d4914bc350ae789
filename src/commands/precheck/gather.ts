/** Looks at everything side by side and hands what was seen to the checks. */

import type { LoadedConfig } from '../../core/config/loaded.ts';
import { XcError, isXcError } from '../../core/errors/xc-error.ts';
import { linksOf, streamsOf, type Link, type Stream } from '../../core/topology/link.ts';
import { targetPatterns } from '../../core/topology/mapping.ts';
import { matchesPatterns } from '../../core/topology/pattern.ts';
import { notConfigured, SILENCE, unreachable, type Reach } from '../../core/validation/checks/reach.ts';
import type { Finding } from '../../core/validation/finding.ts';
import { parseDsn, type Dsn } from '../../providers/postgres/dsn.ts';
import type { Host } from '../frame/host.ts';
import { within, type Deadline } from './deadline.ts';
import { judgeDatabases } from './judge.ts';
import { observeDatabase, type ObservedDatabase } from './observe-database.ts';
import { serviceFindings } from './services.ts';

export interface Gathered {
  readonly findings: readonly Finding[];
  /** What simulation does without, beyond what the configuration lacks. */
  readonly missing: readonly string[];
}

/** Connections at once; a server for many tenants has a database each, and none may be crowded out by a check. */
const PARALLEL_DATABASES = 6;

export const gather = async (host: Host, loaded: LoadedConfig, deadline: Deadline): Promise<Gathered> => {
  const links = linksOf(loaded.config);
  const [services, databases] = await Promise.all([
    serviceFindings(host, loaded, deadline),
    databaseFindings(host, loaded, links, deadline),
  ]);
  return { findings: [...services, ...databases.findings], missing: databases.missing };
};

const databaseFindings = async (
  host: Host,
  loaded: LoadedConfig,
  links: readonly Link[],
  deadline: Deadline,
): Promise<Gathered> => {
  const { config, mode } = loaded;
  const servers = Object.entries(config.regions).filter(([, { kind }]) => kind !== 'changelog');
  const reaches = servers.map(([region, settings]): Reach => ({
    region,
    isNeeded:
      settings.initialRole === 'primary' ||
      links.some((link) => link.source === region || link.target === region),
    mayLack: mode === 'simulation' && config.environment !== 'lab',
  }));
  const dsns = await Promise.all(reaches.map((reach) => resolveDsn(host, loaded, reach, deadline)));
  const known = new Map<string, Dsn>();
  const findings: Finding[] = [];
  for (const [at, reach] of reaches.entries()) {
    const found = dsns[at];
    if (found === undefined) continue;
    if ('finding' in found) findings.push(found.finding);
    else known.set(reach.region, found.dsn);
  }
  const streams = streamsOf(
    config.controlPlane,
    // What a change log brings is checked when it is planned.
    links.filter((link) => config.regions[link.source]?.kind !== 'changelog'),
    Object.fromEntries([...known].map(([region, dsn]) => [region, dsn.database])),
  );
  const observed = await observeAll(host, known, streams, deadline);
  const lost = observed.flatMap(({ region, database, seen }) => {
    const reach = reaches.find((one) => one.region === region);
    return seen instanceof XcError && reach
      ? [{ ...unreachable(reach, seen), subject: `${region} ${database}` }]
      : [];
  });
  const seen = observed.flatMap(({ seen }) => (seen instanceof XcError ? [] : [seen]));
  const all = [...findings, ...lost];
  return {
    findings: [...all, ...noPrimary(loaded), ...judgeDatabases(config, streams, seen)],
    missing: reaches.some((reach) => reach.mayLack)
      ? [...new Set(all.map((row) => `postgres of ${row.region ?? ''}`))]
      : [],
  };
};

const noPrimary = ({ config, mode }: LoadedConfig): Finding[] => {
  const primaries = Object.entries(config.regions).filter(([, region]) => region.initialRole === 'primary');
  if (primaries.length > 0 || mode === 'simulation') return [];
  return [
    {
      check: 'primary-region',
      subject: 'regions',
      verdict: 'fail',
      severity: 'block',
      seen: 'no region is configured as primary',
      remedy: 'give one region initialRole: primary',
      code: 'XC-1002',
    },
  ];
};

const resolveDsn = async (
  host: Host,
  { config }: LoadedConfig,
  reach: Reach,
  deadline: Deadline,
): Promise<{ readonly dsn: Dsn } | { readonly finding: Finding }> => {
  const settings = config.regions[reach.region]?.postgres;
  if (!settings) return { finding: notConfigured(reach) };
  const subject = `region ${reach.region}`;
  try {
    return { dsn: parseDsn(await within(deadline.reach, host.secret(settings.dsn)), subject) };
  } catch (error) {
    host.signal.throwIfAborted();
    const typed = isXcError(error)
      ? error
      : new XcError('XC-6001', {
          subject,
          why: `no answer within ${deadline.reachMs} ms to the secret ${settings.dsn.split(':')[0]}:…`,
          facts: { cause: SILENCE },
        });
    return { finding: unreachable(reach, typed) };
  }
};

interface Looked {
  readonly region: string;
  readonly database: string;
  readonly seen: ObservedDatabase | XcError;
}

/** Every database of every region once: the DSN's own, and those of tenants that have one to themselves. */
const observeAll = async (
  host: Host,
  dsns: ReadonlyMap<string, Dsn>,
  streams: readonly Stream[],
  deadline: Deadline,
): Promise<Looked[]> => {
  const { default: PQueue } = await import('p-queue');
  const queue = new PQueue({ concurrency: PARALLEL_DATABASES });
  const jobs = [...dsns].flatMap(([region, dsn]) =>
    databasesOf(region, dsn, streams).map((database) => ({ region, dsn: { ...dsn, database } })),
  );
  return Promise.all(
    jobs.map(({ region, dsn }) =>
      queue.add(async (): Promise<Looked> => {
        const links = linksThrough(region, dsn.database, streams);
        const job = { region, dsn, isNamed: namedBy(links), withoutTables: links.length === 0 };
        try {
          return { region, database: dsn.database, seen: await observeDatabase(job, host.clock, deadline) };
        } catch (error) {
          host.signal.throwIfAborted();
          const late = new XcError('XC-6001', {
            subject: region,
            why: `no answer within ${deadline.totalMs} ms`,
            facts: { cause: SILENCE },
          });
          const typed = isXcError(error) ? error : deadline.total.aborted ? late : null;
          if (!typed) throw error;
          return { region, database: dsn.database, seen: typed };
        }
      }),
    ),
  );
};

const databasesOf = (region: string, dsn: Dsn, streams: readonly Stream[]): string[] => [
  ...new Set([
    dsn.database,
    ...streams
      .flatMap((stream) => [stream.source, stream.target])
      .filter((side) => side.region === region)
      .map((side) => side.database),
  ]),
];

const linksThrough = (region: string, database: string, streams: readonly Stream[]): readonly Link[] =>
  streams
    .filter((stream) =>
      [stream.source, stream.target].some((side) => side.region === region && side.database === database),
    )
    .flatMap((stream) => stream.links);

/** Many links have the same patterns; each set is matched once a table. */
const namedBy = (links: readonly Link[]): ((table: string) => boolean) => {
  const sets = [
    ...new Map(links.map((link) => [JSON.stringify(link.rule.tables), link.rule.tables ?? []])).values(),
  ];
  const there = [...new Set(links.map((link) => link.rule))]
    .filter((rule) => rule.map)
    .flatMap(targetPatterns);
  return (table) =>
    sets.some((patterns) => matchesPatterns(patterns, table)) || matchesPatterns(there, table);
};
