/** `check --combined`: one sign a key, with the meaning that rclone gives them ("rclone check", --combined). */

import { isXcError } from '../errors/xc-error.ts';
import type { XcError } from '../errors/xc-error.ts';
import type { Entry, Side } from './entry.ts';
import { inOrder } from './in-order.ts';
import type { MirrorPorts } from './ports.ts';
import { digestOf } from './prove.ts';

/**
 * - `=` on both sides and identical
 * - `-` missing at the source, so only in the target
 * - `+` missing at the target, so only in the source
 * - `*` on both sides and different
 * - `!` could not be read, or nobody knows the digest of one side
 */
export const SIGNS = ['=', '-', '+', '*', '!'] as const;
export type Sign = (typeof SIGNS)[number];

export interface Checked {
  readonly sign: Sign;
  readonly key: string;
  readonly source: Side | null;
  readonly target: Side | null;
  /** Why, where it is no plain one. */
  readonly why: string | null;
}

const BY_ACTION = { same: '=', delete: '-', copy: '+', replace: '*', unknown: '!' } as const satisfies Record<
  Entry['action'],
  Sign
>;

const NO_DIGEST = 'equal in size, and nobody recorded a digest; --download reads both sides';

type Reading = Pick<
  MirrorPorts,
  'source' | 'target' | 'sourcePrefix' | 'targetPrefix' | 'clock' | 'signal' | 'pace'
>;

/** By what is recorded; with a reading, by the bytes of both sides. */
export const checkLines = (
  entries: AsyncIterable<Entry>,
  checkers: number,
  reading: Reading | null,
): AsyncGenerator<Checked> =>
  inOrder(entries, { atOnce: checkers, ahead: 4_096 }, async (entry) => {
    const { key, source, target, action } = entry;
    const by = (sign: Sign, why: string | null = null): Checked => ({ sign, key, source, target, why });
    if (reading === null || source === null || target === null)
      return by(BY_ACTION[action], action === 'unknown' ? NO_DIGEST : null);
    try {
      const [of, to] = await Promise.all([
        digestOf(reading.source, at(reading.sourcePrefix, key, source), reading, reading.pace),
        digestOf(reading.target, at(reading.targetPrefix, key, target), reading),
      ]);
      const damaged = [
        ...(source.sha256 !== null && source.sha256 !== of
          ? ['the source is not what was recorded of it']
          : []),
        ...(target.sha256 !== null && target.sha256 !== to
          ? ['the target is not what was recorded of it']
          : []),
      ].join('; ');
      const sign = of === to ? '=' : '*';
      return {
        sign: damaged === '' ? sign : '*',
        key,
        source: { ...source, sha256: of },
        target: { ...target, sha256: to },
        why: damaged === '' ? null : damaged,
      };
    } catch (error) {
      reading.signal.throwIfAborted();
      if (!isXcError(error)) throw error;
      return by('!', messageOf(error));
    }
  });

const messageOf = (error: XcError): string => `${error.code} ${error.message}`;

const at = (prefix: string, key: string, { bytes, version }: Side) => ({
  key: `${prefix}${key}`,
  bytes,
  version,
});
