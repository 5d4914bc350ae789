/**
 * From rules to links and streams. A link is one direction of one rule for one tenant; a stream is one pair of
 * databases and carries all links of that pair, because every slot makes its server decode the whole log.
 */

import { createHash } from 'node:crypto';
import type { Config, RuleConfig, TenantConfig, TenantScope } from '../config/schema.ts';
import { matchesNames } from './pattern.ts';

/** rule:tenant:source:target */
export type LinkId = string;
/** The first 10 hexadecimal digits of a sha256: see streamKey. */
export type StreamKey = string;

export interface Link {
  readonly id: LinkId;
  readonly rule: RuleConfig;
  readonly tenant: string;
  readonly scope: TenantScope;
  readonly columns: TenantConfig['columns'];
  readonly source: string;
  readonly target: string;
  /** Where the tenant's data may be, and where the target is; absent where the tenant names no zones. */
  readonly residency?: {
    readonly zones: readonly string[];
    readonly redacted: 'any' | 'zones' | undefined;
    readonly targetZone: string;
  };
}

export interface Stream {
  /** Worked out when it is first asked for: a look at servers that do not answer loads no hashing. */
  readonly key: StreamKey;
  readonly source: { readonly region: string; readonly database: string };
  readonly target: { readonly region: string; readonly database: string };
  /** Sorted by id. A dedicated stream has exactly one. */
  readonly links: readonly Link[];
  /** What the configuration has on other streams of the same databases: one of them may still stand on this one. */
  readonly others?: readonly Link[];
  /** Of each link: the stream that it would be on if its rule were dedicated, or were not. */
  readonly otherKeys?: ReadonlyMap<LinkId, StreamKey>;
}

export interface LinkSelection {
  readonly rule?: string;
  readonly tenant?: string;
  readonly from?: string;
  readonly to?: string;
}

export const linkId = (rule: string, tenant: string, source: string, target: string): LinkId =>
  `${rule}:${tenant}:${source}:${target}`;

const shortHash = (parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 10);

export const linkKey = (id: LinkId): string => shortHash([id]);

/** Links of the configuration's table rules, in order of their ids. */
export const linksOf = (config: Config, only: LinkSelection = {}): Link[] => {
  const links: Link[] = [];
  for (const rule of config.rules) {
    if (only.rule !== undefined && rule.id !== only.rule) continue;
    if (!rule.tables) continue;
    for (const [tenant, settings] of Object.entries(config.tenants)) {
      if (only.tenant !== undefined && tenant !== only.tenant) continue;
      if (!matchesNames(rule.tenants, tenant)) continue;
      for (const [source, target] of directions(rule)) {
        if (only.from !== undefined && source !== only.from) continue;
        if (only.to !== undefined && target !== only.to) continue;
        links.push({
          id: linkId(rule.id, tenant, source, target),
          rule,
          tenant,
          scope: settings.scope,
          columns: settings.columns,
          source,
          target,
          ...residencyOf(config, settings, target),
        });
      }
    }
  }
  return links.toSorted((a, b) => (a.id < b.id ? -1 : 1));
};

const residencyOf = (config: Config, { residency }: TenantConfig, target: string): Pick<Link, 'residency'> =>
  residency
    ? {
        residency: {
          zones: residency.zones,
          redacted: residency.redacted,
          targetZone: config.regions[target]?.zone ?? '',
        },
      }
    : {};

/** An active-active rule is a link in each direction between every two of its regions. */
const directions = (rule: RuleConfig): [source: string, target: string][] => {
  if (rule.mode === 'active-passive') return rule.to.map((target) => [rule.from, target]);
  const regions = [rule.from, ...rule.to];
  return regions.flatMap((source) =>
    regions.filter((target) => target !== source).map((target): [string, string] => [source, target]),
  );
};

/**
 * Groups links into streams.
 * @param databases the database that each region's DSN names; a database-scoped tenant replaces it on both sides
 */
export const streamsOf = (
  controlPlane: string,
  links: readonly Link[],
  databases: Readonly<Record<string, string>>,
): Stream[] => {
  const streams = new Map<string, { parts: readonly string[]; place: Place; links: Link[] }>();
  for (const link of links) {
    const database = (region: string): string =>
      link.scope.kind === 'database' ? link.scope.database : (databases[region] ?? '');
    const source = { region: link.source, database: database(link.source) };
    const target = { region: link.target, database: database(link.target) };
    const parts = keyParts(controlPlane, source, target, link.rule.dedicated ? link.id : undefined);
    const entry = streams.get(parts.join('\0')) ?? { parts, place: { source, target }, links: [] };
    entry.links.push(link);
    streams.set(parts.join('\0'), entry);
  }
  const all = [...streams.values()];
  return all.map(({ parts, place, links: members }) => {
    let key: StreamKey | undefined;
    let otherKeys: ReadonlyMap<LinkId, StreamKey> | undefined;
    return {
      get key() {
        return (key ??= shortHash(parts));
      },
      ...place,
      links: members,
      get others() {
        return all.flatMap((entry) =>
          entry.links !== members && isSamePair(entry.place, place) ? entry.links : [],
        );
      },
      get otherKeys() {
        return (otherKeys ??= new Map(
          members.map((link) => [link.id, otherStreamKey(controlPlane, place, link)]),
        ));
      },
    };
  });
};

type Place = Pick<Stream, 'source' | 'target'>;

const isSamePair = (a: Place, b: Place): boolean =>
  a.source.region === b.source.region &&
  a.source.database === b.source.database &&
  a.target.region === b.target.region &&
  a.target.database === b.target.database;

const otherStreamKey = (controlPlane: string, { source, target }: Place, { id, rule }: Link): StreamKey =>
  streamKey(controlPlane, source, target, rule.dedicated ? undefined : id);

export const streamKey = (...named: Parameters<typeof keyParts>): StreamKey => shortHash(keyParts(...named));

const keyParts = (
  controlPlane: string,
  source: Stream['source'],
  target: Stream['target'],
  dedicatedLink?: LinkId,
): readonly string[] => [
  controlPlane,
  source.region,
  source.database,
  target.region,
  target.database,
  ...(dedicatedLink === undefined ? [] : [dedicatedLink]),
];

/** Names of what we create on servers; all begin with xcrepl_, which is how orphans are found. */
export const slotName = (key: StreamKey): string => `xcrepl_s_${key}`;
export const publicationName = (key: StreamKey): string => `xcrepl_s_${key}`;
export const insertOnlyPublicationName = (key: StreamKey): string => `xcrepl_s_${key}_io`;
export const originName = (key: StreamKey): string => `xcrepl_s_${key}`;
/** Both publications of a stream, of which one may be missing. */
export const publicationNames = (key: StreamKey): readonly string[] => [
  publicationName(key),
  insertOnlyPublicationName(key),
];

/** The stream under whose publications a slot is read: a link that moved stands on the slot of its former stream. */
export const streamOfSlot = (slot: string, stream: StreamKey): StreamKey =>
  slot.startsWith(STREAM_SLOT) ? slot.slice(STREAM_SLOT.length) : stream;

const STREAM_SLOT = slotName('');

export const linkSlotName = (id: LinkId): string => `xcrepl_l_${linkKey(id)}`;
/** Slot names allow [a-z0-9_] and 63 bytes (PostgreSQL documentation, CREATE_REPLICATION_SLOT). */
export const copySlotName = (key: StreamKey, run: string): string =>
  `xcrepl_c_${key}_${run
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .slice(-16)}`;

/** Names a recording: of one link, into one file of one host. */
export const recordingKey = (controlPlane: string, link: LinkId, host: string, path: string): string =>
  shortHash([controlPlane, 'record', link, host, path]);
/** Slot and publication of a recording. */
export const recordingName = (key: string): string => `xcrepl_r_${key}`;
export const insertOnlyRecordingName = (key: string): string => `xcrepl_r_${key}_io`;
