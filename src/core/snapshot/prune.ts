/** Which snapshots are kept, by age and number, and what of a store belongs to none of those. */

import { XcError } from '../errors/xc-error.ts';
import { idOfBegun } from './begun.ts';
import {
  BEGUN,
  idOfManifest,
  manifestKey,
  MANIFESTS,
  PARTS,
  signatureKey,
  type Manifest,
} from './manifest.ts';

/** How many are kept of each kind; a snapshot that several rules keep is kept once. */
export interface Keeping {
  /** The newest. */
  readonly last: number;
  /** The newest of each of so many days (UTC) that have any. */
  readonly daily: number;
  /** Of each of so many weeks, from Monday. */
  readonly weekly: number;
  readonly monthly: number;
}

const NAMES = ['last', 'daily', 'weekly', 'monthly'] as const;

/** "7", or "last=3,daily=7,weekly=4,monthly=12". @throws XcError XC-1004 */
export const parseKeeping = (text: string): Keeping => {
  const keeping = { last: 0, daily: 0, weekly: 0, monthly: 0 };
  for (const part of /^\d+$/.test(text) ? [`last=${text}`] : text.split(',')) {
    const [name, count] = part.split('=').map((each) => each.trim());
    const known = NAMES.find((each) => each === name);
    if (known === undefined || count === undefined || !/^\d{1,6}$/.test(count))
      throw new XcError('XC-1004', {
        subject: '--keep',
        why: `"${text}" is neither a number nor last=N,daily=N,weekly=N,monthly=N`,
      });
    keeping[known] = Number(count);
  }
  if (NAMES.every((name) => keeping[name] === 0))
    throw new XcError('XC-1004', { subject: '--keep', why: `"${text}" keeps nothing` });
  return keeping;
};

type Dated = Pick<Manifest, 'id' | 'createdAt'>;

/** Ids, whatever the order of the given. */
export const keptIds = (snapshots: readonly Dated[], keeping: Keeping): Set<string> => {
  const newest = snapshots.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  const kept = new Set(newest.slice(0, keeping.last).map(({ id }) => id));
  const periods: [number, (at: Date) => string][] = [
    [keeping.daily, (at) => at.toISOString().slice(0, 10)],
    [keeping.weekly, (at) => String(Math.floor((at.getTime() / DAY_MS + THURSDAY) / 7))],
    [keeping.monthly, (at) => at.toISOString().slice(0, 7)],
  ];
  for (const [count, periodOf] of periods) {
    const first = new Map<string, string>();
    for (const { id, createdAt } of newest) {
      const period = periodOf(new Date(createdAt));
      if (!first.has(period) && first.size < count) first.set(period, id);
    }
    for (const id of first.values()) kept.add(id);
  }
  return kept;
};

const DAY_MS = 24 * 3_600_000;
/** 1970-01-01 was a Thursday: three days after a Monday. */
const THURSDAY = 3;

/** A snapshot that is begun, and was not finished for so long, is nobody's. */
export const ABANDONED_MS = 7 * DAY_MS;

export interface Pruning {
  readonly keep: readonly string[];
  readonly remove: readonly string[];
  /** In the order in which they go: without its manifest, no snapshot is mistaken for one. */
  readonly keys: readonly string[];
  readonly bytes: number;
}

/**
 * @param keys everything below snapshots/
 * @param young ids that are begun and may still be finished
 */
export const prune = (
  manifests: readonly Manifest[],
  keys: readonly { readonly key: string; readonly bytes: number }[],
  keeping: Keeping,
  young: ReadonlySet<string>,
): Pruning => {
  const kept = keptIds(manifests, keeping);
  const needed = new Set(manifests.filter(({ id }) => kept.has(id)).flatMap(namedBy));
  const going = keys.filter(({ key }) => !needed.has(key) && !young.has(idIn(key) ?? ''));
  return {
    keep: [...kept].toSorted(),
    remove: manifests.flatMap(({ id }) => (kept.has(id) ? [] : [id])).toSorted(),
    keys: going.toSorted((a, b) => orderOf(a.key) - orderOf(b.key)).map(({ key }) => key),
    bytes: going.reduce((sum, { bytes }) => sum + bytes, 0),
  };
};

const namedBy = ({ id, parts, ddl }: Manifest): string[] => [
  manifestKey(id),
  signatureKey(id),
  ...parts.map(({ key }) => key),
  ...('key' in ddl ? [ddl.key] : []),
];

const idIn = (key: string): string | null =>
  /^snapshots\/(?:parts|begun)\/(sn_[0-9A-Z]{26})\//.exec(key)?.[1] ?? null;

const orderOf = (key: string): number => {
  if (idOfManifest(key) !== null) return 0;
  if (key.startsWith(MANIFESTS)) return 1;
  if (key.startsWith(PARTS)) return 2;
  return key.startsWith(BEGUN) && idOfBegun(key) !== null ? 4 : 3;
};
