/** Which places a mirror is between, and whose they are. */

import { createHash } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import { XcError } from '../errors/xc-error.ts';
import { prefixFor } from '../objects/store-place.ts';
import { matchesNames } from '../topology/pattern.ts';

export interface Place {
  readonly region: string;
  /** Below the place of the tenant, or of what belongs to none. */
  readonly prefix: string;
}

export interface MirrorWish {
  /** "rule:tenant:source:target" for one of a rule, else "tenant:source:target" or "source:target". */
  readonly id: string;
  /** Null for what belongs to no tenant. */
  readonly tenant: string | null;
  readonly source: Place;
  readonly target: Place;
}

export interface MirrorWords {
  /** "region:prefix", or with no target the id of a rule. */
  readonly source: string;
  readonly target: string | undefined;
  readonly tenant: string | undefined;
}

/**
 * @throws XcError XC-1070 for words that are no places, XC-1006 for names that are not in the configuration, XC-2084 and
 * XC-2085 for places that nobody may mirror
 */
export const mirrorsOf = (config: Config, words: MirrorWords): MirrorWish[] => {
  if (words.tenant !== undefined) known(config.tenants, 'tenant', words.tenant);
  const wishes = words.target === undefined ? ofRule(config, words) : [ofPlaces(config, words, words.target)];
  for (const wish of wishes) {
    guardApart(config, wish);
    for (const place of [wish.source, wish.target]) guardOwner(config, place, wish.tenant);
  }
  return wishes;
};

const known = (names: Readonly<Record<string, unknown>>, what: string, name: string): void => {
  if (!Object.hasOwn(names, name)) throw new XcError('XC-1006', { subject: `${what} ${name}` });
};

const placeOf = (config: Config, text: string): Place => {
  const at = text.indexOf(':');
  if (at < 1)
    throw new XcError('XC-1070', {
      subject: JSON.stringify(text),
      why: 'it is not written as region:prefix',
    });
  const place = { region: text.slice(0, at), prefix: text.slice(at + 1) };
  known(config.regions, 'region', place.region);
  return place;
};

const ofPlaces = (config: Config, { source, tenant }: MirrorWords, target: string): MirrorWish => {
  const ends = { source: placeOf(config, source), target: placeOf(config, target) };
  const regions = `${ends.source.region}:${ends.target.region}`;
  return { id: tenant === undefined ? regions : `${tenant}:${regions}`, tenant: tenant ?? null, ...ends };
};

const ofRule = (config: Config, { source, tenant }: MirrorWords): MirrorWish[] => {
  if (source.includes(':'))
    throw new XcError('XC-1070', { subject: JSON.stringify(source), why: 'there is no target beside it' });
  const rule = config.rules.find(({ id }) => id === source);
  if (!rule) throw new XcError('XC-1006', { subject: `rule ${source}` });
  const refuse = (why: string): never => {
    throw new XcError('XC-1070', { subject: `rule ${source}`, why });
  };
  if (!rule.prefixes) return refuse('it has no prefixes');
  if (rule.mode === 'active-active')
    return refuse('a mirror has one direction, and deletes what only its target has; active-active has two');
  const tenants = Object.keys(config.tenants).filter(
    (name) => (tenant === undefined || name === tenant) && matchesNames(rule.tenants, name),
  );
  if (tenants.length === 0) return refuse('none of its tenants is selected');
  return tenants.flatMap((name) =>
    rule.to.flatMap((region) =>
      (rule.prefixes ?? []).map((prefix) => ({
        id: `${rule.id}:${name}:${rule.from}:${region}`,
        tenant: name,
        source: { region: rule.from, prefix },
        target: { region, prefix },
      })),
    ),
  );
};

/** Where the keys of a place really begin. */
interface Address {
  /** The same text for the same bucket, container or directory of the same provider. */
  readonly store: string;
  readonly prefix: string;
}

export const addressOf = (
  config: Config,
  { region, prefix }: Place,
  tenant: string | null,
): Address | null => {
  const objects = config.regions[region]?.objects;
  if (!objects || objects.kind === 'memory') return null;
  if (objects.kind === 'local') {
    const below = objects.prefix?.replace(/\/*$/, '/');
    const own = prefixFor({ ...objects, prefix: below }, tenant);
    // A tenant's place is a directory here, whether its prefix ends in a slash or not.
    return {
      store: `local ${objects.path}`,
      prefix: `${own.replace(/\/*$/, own === '' ? '' : '/')}${prefix}`,
    };
  }
  const own = tenant === null ? undefined : objects.tenants?.[tenant];
  const bucket =
    objects.kind === 'azure'
      ? ((own as { container?: string } | undefined)?.container ?? objects.container)
      : ((own as { bucket?: string } | undefined)?.bucket ?? objects.bucket);
  const endpoint = objects.endpoint ?? (objects.kind === 'azure' ? objects.account : undefined) ?? '';
  return { store: `${objects.kind} ${endpoint} ${bucket}`, prefix: `${prefixFor(objects, tenant)}${prefix}` };
};

const overlaps = (a: Address | null, b: Address | null): boolean =>
  a !== null &&
  b !== null &&
  a.store === b.store &&
  (a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix));

const guardApart = (config: Config, { id, tenant, source, target }: MirrorWish): void => {
  const inMemory =
    source.region === target.region &&
    (source.prefix.startsWith(target.prefix) || target.prefix.startsWith(source.prefix));
  if (inMemory || overlaps(addressOf(config, source, tenant), addressOf(config, target, tenant)))
    throw new XcError('XC-2085', { subject: id });
};

/** P5: a mirror of one tenant stays in its place; one of no tenant stays out of all. */
const guardOwner = (config: Config, place: Place, tenant: string | null): void => {
  const own = addressOf(config, place, tenant);
  for (const other of Object.keys(config.tenants)) {
    if (other === tenant) continue;
    const theirs = addressOf(config, { region: place.region, prefix: '' }, other);
    // A tenant whose place lies within another one's is told by the configuration's own checks.
    const reaches = tenant === null ? overlaps(own, theirs) : isWithin(own, theirs);
    if (reaches)
      throw new XcError('XC-2084', {
        subject: `${place.region}:${place.prefix}`,
        why: `it reaches into the place of tenant ${other}`,
        ...(tenant === null ? { next: `give --tenant ${other}, and the prefix below its place` } : {}),
      });
  }
};

const isWithin = (inner: Address | null, outer: Address | null): boolean =>
  inner !== null && outer !== null && inner.store === outer.store && inner.prefix.startsWith(outer.prefix);

/** What a manifest, a mark and a lease know a mirror by: its places and its filter. 16 hex digits. */
export const mirrorKey = (
  controlPlane: string,
  { tenant, source, target }: MirrorWish,
  filter: { readonly include: readonly string[]; readonly exclude: readonly string[] },
): string =>
  createHash('sha256')
    .update(JSON.stringify([controlPlane, tenant, source, target, filter.include, filter.exclude]))
    .digest('hex')
    .slice(0, 16);
