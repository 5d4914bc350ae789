/** Both ends of a mirror, and what its last run proved. */

import { hostname } from 'node:os';
import type { LoadedConfig } from '../../core/config/loaded.ts';
import { isXcError } from '../../core/errors/xc-error.ts';
import { ByteRoom } from '../../core/mirror/byte-room.ts';
import { keyFilter, type FilterOptions, type KeyFilter } from '../../core/mirror/filter.ts';
import { lastManifest, type LastManifest } from '../../core/mirror/last-manifest.ts';
import { takeLease, type Lease } from '../../core/mirror/lease.ts';
import { compare, type Comparing } from '../../core/mirror/make-plan.ts';
import type { Entry, ManifestEntry } from '../../core/mirror/entry.ts';
import { mirrorKey, type MirrorWish } from '../../core/mirror/places.ts';
import { PART_SIZES, type MirrorEnds, type MirrorPorts } from '../../core/mirror/ports.ts';
import { processIdentity } from '../../providers/lab/process-identity.ts';
import type { Host } from '../frame/host.ts';
import { openRegionStore } from '../object-stores.ts';
import type { KeyOptions } from '../policy/signer.ts';
import { manifestVerifier } from './manifest-signing.ts';

export interface MirrorOptions extends KeyOptions {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly checkers: number;
  /** False compares without the last manifest. */
  readonly manifest: boolean;
}

export interface OpenMirror extends AsyncDisposable {
  readonly wish: MirrorWish;
  readonly ends: MirrorEnds;
  readonly options: MirrorOptions;
  readonly filterOptions: FilterOptions;
  readonly filter: KeyFilter;
}

/** Opens both stores; nothing is asked of them yet. @throws XcError XC-1061, XC-1060, XC-1071 */
export const openMirror = async (
  host: Host,
  loaded: LoadedConfig,
  wish: MirrorWish,
  options: MirrorOptions,
): Promise<OpenMirror> => {
  const filterOptions = { include: options.include, exclude: options.exclude };
  const filter = keyFilter(filterOptions);
  const source = await openRegionStore(host, loaded, wish.source.region, wish.tenant);
  const target = await openRegionStore(host, loaded, wish.target.region, wish.tenant);
  return {
    wish,
    options,
    filterOptions,
    filter,
    ends: {
      mirror: mirrorKey(loaded.config.controlPlane, wish, filterOptions),
      source,
      target,
      sourcePrefix: wish.source.prefix,
      targetPrefix: wish.target.prefix,
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([source.close(), target.close()]);
    },
  };
};

/** Null where there is none, or none that may be believed: then more has to be asked, and nothing is taken as proven. */
export const believedManifest = async (
  host: Host,
  loaded: LoadedConfig,
  { ends, options, wish }: OpenMirror,
): Promise<LastManifest | null> => {
  if (!options.manifest) return null;
  try {
    const verify = await manifestVerifier(host, loaded, options);
    return await lastManifest(ends.target, ends.mirror, verify, host);
  } catch (error) {
    if (!isXcError(error, 'XC-2030', 'XC-2042', 'XC-5431')) throw error;
    host.narrator.warn(
      `${wish.id}: the last manifest is not believed, and everything is compared without it: ${error.code} ${error.message}`,
    );
    return null;
  }
};

export const entriesOf = (
  host: Host,
  { ends, filter, options }: OpenMirror,
  known: LastManifest | null,
  signal: AbortSignal,
): AsyncGenerator<Entry> => {
  const comparing: Comparing = {
    ...ends,
    filter,
    checkers: options.checkers,
    clock: host.clock,
    signal,
    known: known?.entries() ?? nothing(),
  };
  return compare(comparing);
};

// eslint-disable-next-line require-yield -- an empty listing
async function* nothing(): AsyncGenerator<ManifestEntry> {
  await Promise.resolve();
}

/** One sync into a place at a time. @throws XcError XC-7002 */
export const leaseOf = async (host: Host, { ends }: OpenMirror, run: string): Promise<Lease> => {
  const identity = (await processIdentity(process.pid)) ?? '';
  return await takeLease(
    ends.target,
    { host: hostname(), pid: process.pid, identity, run },
    {
      clock: host.clock,
      signal: host.signal,
      patienceMs: host.flags.lockTimeoutMs ?? 0,
      isGone: async (holder) =>
        holder.host === hostname() && (await processIdentity(holder.pid)) !== holder.identity,
    },
  );
};

/** Parts on their way, of all objects together. */
const ROOM_BYTES = 96 * 2 ** 20;

export interface PortChoices {
  readonly transfers: number;
  readonly immutable: boolean;
  readonly pace: MirrorPorts['pace'];
  readonly signal: AbortSignal;
}

export const portsOf = (host: Host, { ends }: OpenMirror, choices: PortChoices): MirrorPorts => ({
  ...ends,
  ...choices,
  clock: host.clock,
  room: new ByteRoom(ROOM_BYTES),
  parts: PART_SIZES,
});
