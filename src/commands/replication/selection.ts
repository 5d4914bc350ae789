/** Which links a command is about, by its selecting options; and the servers that they run between. */

import { dirname, resolve } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import { Option } from '@commander-js/extra-typings';
import { LOG_DATABASE, logAddress, logPath } from '../../core/changelog/log-address.ts';
import type { LoadedConfig } from '../../core/config/loaded.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { linksOf, streamsOf, type Link, type LinkId, type Stream } from '../../core/topology/link.ts';
import type { Host } from '../frame/host.ts';

export const TIERS = ['hot', 'warm', 'cold'] as const;

export interface Selection {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly tenant?: string | undefined;
  readonly tier?: (typeof TIERS)[number] | undefined;
  /** Either end. */
  readonly region?: string | undefined;
}

export const withSelection = (command: Command) =>
  command
    .option('--from <region>', 'only links from this region')
    .option('--to <region>', 'only links to this region')
    .option('--tenant <tenant>', 'only links of this tenant')
    .addOption(new Option('--tier <tier>', 'only rules of this tier').choices(TIERS));

export interface Selected {
  readonly loaded: LoadedConfig;
  readonly links: readonly Link[];
  readonly ids: ReadonlySet<LinkId>;
  /** The streams of the selected links, whole: with every link that the configuration names for the same databases. */
  readonly streams: readonly Stream[];
  /** Addresses of the regions concerned: DSNs, and paths of change logs. */
  readonly dsns: ReadonlyMap<string, string>;
}

/** @throws XcError XC-1006 for an unknown name, XC-1304 when nothing is left, XC-1005 for a missing secret */
export const selectLinks = async (host: Host, loaded: LoadedConfig, wish: Selection): Promise<Selected> => {
  const { config } = loaded;
  for (const region of [wish.from, wish.to, wish.region])
    if (region !== undefined && !config.regions[region])
      throw new XcError('XC-1006', { subject: `region ${region}` });
  if (wish.tenant !== undefined && !config.tenants[wish.tenant])
    throw new XcError('XC-1006', { subject: `tenant ${wish.tenant}` });
  const all = linksOf(config);
  const links = all.filter((link) => isWished(link, wish));
  if (links.length === 0) throw new XcError('XC-1304', { why: describe(wish, all.length) });
  return {
    ...(await streamsFor(host, loaded, links, all)),
    links,
    ids: new Set(links.map((link) => link.id)),
  };
};

const isWished = (link: Link, { from, to, tenant, tier, region }: Selection): boolean =>
  (from === undefined || link.source === from) &&
  (to === undefined || link.target === to) &&
  (tenant === undefined || link.tenant === tenant) &&
  (tier === undefined || link.rule.tier === tier) &&
  (region === undefined || link.source === region || link.target === region);

/** A command's other options stand in the same object. */
const SELECTING = ['from', 'to', 'tenant', 'tier', 'region'] as const;

const describe = (wish: Selection, all: number): string => {
  const asked = SELECTING.flatMap((name) => (wish[name] === undefined ? [] : [`--${name} ${wish[name]}`]));
  return `${all} links in the configuration, none for ${asked.length === 0 ? 'any rule' : asked.join(' ')}`;
};

const streamsFor = async (
  host: Host,
  loaded: LoadedConfig,
  links: readonly Link[],
  all: readonly Link[],
): Promise<Pick<Selected, 'loaded' | 'streams' | 'dsns'>> => {
  const pairs = new Set(links.map((link) => `${link.source}\n${link.target}`));
  const whole = all.filter((link) => pairs.has(`${link.source}\n${link.target}`));
  const dsns = await regionDsns(host, loaded, [
    ...new Set(whole.flatMap((link) => [link.source, link.target])),
  ]);
  const { parseDsn } = await import('../../providers/postgres/dsn.ts');
  const databases = Object.fromEntries(
    [...dsns].map(([region, dsn]) => [
      region,
      logPath(dsn) === null ? parseDsn(dsn, region).database : LOG_DATABASE,
    ]),
  );
  const ids = new Set(links.map((link) => link.id));
  const streams = streamsOf(loaded.config.controlPlane, whole, databases);
  return { loaded, dsns, streams: streams.filter((stream) => stream.links.some((link) => ids.has(link.id))) };
};

/** @throws XcError XC-1006 for a region without a database, XC-1005 */
export const regionDsns = async (
  host: Host,
  { config, path }: LoadedConfig,
  regions: readonly string[],
): Promise<Map<string, string>> => {
  const dsns = new Map<string, string>();
  for (const region of regions) {
    const settings = config.regions[region];
    if (settings?.kind === 'changelog') {
      dsns.set(region, logAddress(resolve(path === null ? host.cwd : dirname(path), settings.path ?? '')));
      continue;
    }
    const reference = settings?.postgres?.dsn;
    if (reference === undefined)
      throw new XcError('XC-1006', {
        subject: `database of region ${region}`,
        why: 'the region has no postgres',
      });
    dsns.set(region, await host.secret(reference));
  }
  return dsns;
};

/** @throws XcError XC-1006 */
export const findLink = (loaded: LoadedConfig, id: string): Link => {
  const link = linksOf(loaded.config).find((each) => each.id === id);
  if (!link)
    throw new XcError('XC-1006', {
      subject: `link ${id}`,
      why: 'a link is named rule:tenant:source:target',
      next: 'list them with xcrepl replication status',
    });
  return link;
};
