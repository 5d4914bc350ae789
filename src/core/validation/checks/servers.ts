/** All checks of one server, and those that need two of them. */

import type { Finding } from '../finding.ts';
import type { ObservedServer } from '../observed-server.ts';
import { commitTimestamps, origins, slots, walLevel } from './server/capacity.ts';
import type { ServerCheck, ServerContext } from './server/context.ts';
import { leftovers } from './server/leftovers.ts';
import { initialised, powers, privileges } from './server/privileges.ts';
import { retentionLimit, slotHealth, standbys, walDirectory } from './server/retention.ts';
import { majorOf, tls, version } from './server/version.ts';

const SERVER_CHECKS: readonly ServerCheck[] = [
  version,
  tls,
  walLevel,
  slots,
  origins,
  commitTimestamps,
  retentionLimit,
  walDirectory,
  slotHealth,
  standbys,
  privileges,
  powers,
  initialised,
  leftovers,
];

export const checkServer = (context: ServerContext): Finding[] =>
  SERVER_CHECKS.flatMap((check) => check(context));

/** One source and one target between which a stream runs. */
export const checkPair = (source: ObservedServer, target: ObservedServer): Finding[] => [
  ...checkIdentities(source, target),
  ...checkExtensions(source, target),
];

const pairRow = (
  target: ObservedServer,
  check: string,
  finding: Partial<Finding> & Pick<Finding, 'seen'>,
): Finding => ({
  check,
  region: target.region,
  subject: target.address,
  verdict: 'pass',
  severity: 'info',
  ...finding,
});

const checkIdentities = (source: ObservedServer, target: ObservedServer): Finding[] => {
  const rows: Finding[] = [];
  const isSame = source.systemIdentifier === target.systemIdentifier && source.database === target.database;
  rows.push(
    isSame
      ? pairRow(target, 'distinct-databases', {
          verdict: 'fail',
          severity: 'block',
          seen: `${source.region} and ${target.region} have the same system identifier ${source.systemIdentifier} and database ${source.database}: they are one, or physical copies of one`,
          remedy: 'correct one of the DSNs',
          code: 'XC-5308',
        })
      : pairRow(target, 'distinct-databases', {
          seen: `${source.region} and ${target.region} are different databases`,
        }),
  );
  if (majorOf(source.version) > majorOf(target.version))
    rows.push(
      pairRow(target, 'version-order', {
        verdict: 'fail',
        severity: 'block',
        seen: `PostgreSQL ${majorOf(target.version)}, older than its source (${majorOf(source.version)})`,
        remedy: `upgrade ${target.region} to PostgreSQL ${majorOf(source.version)}`,
        code: 'XC-5303',
      }),
    );
  return rows;
};

const checkExtensions = (source: ObservedServer, target: ObservedServer): Finding[] => {
  const missing = [...source.extensions.keys()].filter((name) => !target.extensions.has(name));
  const older = [...source.extensions].filter(([name, version]) => {
    const other = target.extensions.get(name);
    return other !== undefined && other !== version;
  });
  if (missing.length === 0 && older.length === 0)
    return [
      pairRow(target, 'extensions', {
        seen: `the target has all ${source.extensions.size} extensions of ${source.region}`,
      }),
    ];
  return [
    ...missing.map((name) =>
      pairRow(target, 'extensions', {
        subject: name,
        verdict: 'fail',
        severity: 'warn',
        seen: `installed in ${source.region}, not in ${target.region}`,
        remedy: `CREATE EXTENSION "${name}";`,
        code: 'XC-5309',
      }),
    ),
    ...older.map(([name, version]) =>
      pairRow(target, 'extensions', {
        subject: name,
        verdict: 'fail',
        severity: 'info',
        seen: `version ${version} in ${source.region}, ${target.extensions.get(name) ?? ''} in ${target.region}`,
        code: 'XC-5309',
      }),
    ),
  ];
};

/** Lag measurements, leases and last-write bear this much; beyond it they mislead. */
const MAX_SKEW_MS = 500;

/** Between every two regions; `unknown` where the round trips were too slow to tell. */
export const checkClocks = (servers: readonly ObservedServer[]): Finding[] =>
  servers.flatMap((a, at) =>
    servers.slice(at + 1).flatMap((b): Finding[] => {
      if (a.region === b.region) return [];
      const subject = `${a.region} and ${b.region}`;
      if (!a.clock || !b.clock)
        return [
          {
            check: 'clock-skew',
            subject,
            verdict: 'unknown',
            severity: 'warn',
            seen: 'a clock could not be read',
            code: 'XC-5340',
          },
        ];
      const skew = Math.abs(a.clock.offsetMs - b.clock.offsetMs);
      const error = a.clock.uncertaintyMs + b.clock.uncertaintyMs;
      const seen = `${Math.round(skew)} ms apart, ± ${Math.ceil(error)} ms`;
      if (skew + error <= MAX_SKEW_MS)
        return [{ check: 'clock-skew', subject, verdict: 'pass', severity: 'info', seen }];
      return [
        {
          check: 'clock-skew',
          subject,
          verdict: skew - error > MAX_SKEW_MS ? 'fail' : 'unknown',
          severity: 'warn',
          seen: `${seen}; at most ${MAX_SKEW_MS} ms are borne`,
          remedy: 'synchronise both servers’ clocks (chronyc tracking shows the state)',
          code: 'XC-5306',
        },
      ];
    }),
  );
