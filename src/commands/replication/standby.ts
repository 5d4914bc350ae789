/** `replication run --standby`: what its options mean together, and what is said of a run that was never needed. */

import { XcError } from '../../core/errors/xc-error.ts';
import type { Outcome } from '../frame/host.ts';
import type { Selected } from './selection.ts';

/** Longer than a failover of the target's server takes to answer again, shorter than anybody takes to be called. */
const SILENT_MS = 30_000;
/** A run says every 2 seconds that it lives; less than two of these missed is no sign of anything. */
const LEAST_SILENT_MS = 5_000;

interface StandbyOptions {
  readonly standby?: boolean | undefined;
  readonly takeOverAfter?: number | undefined;
  readonly follow?: boolean | undefined;
  readonly plan?: string | undefined;
}

/** @throws XcError XC-1001, XC-1004 */
export const standbyOf = (options: StandbyOptions): { readonly silentMs: number } | null => {
  const { standby, takeOverAfter, follow, plan } = options;
  if (!standby) {
    if (takeOverAfter === undefined) return null;
    throw new XcError('XC-1001', { subject: '--take-over-after', next: 'add --standby' });
  }
  if (!follow)
    throw new XcError('XC-1001', {
      subject: '--standby',
      why: 'a run that ends by itself need not be stood by for',
      next: 'add --follow; a run with --once waits for another one with --lock-timeout',
    });
  if (plan !== undefined)
    throw new XcError('XC-1001', {
      subject: '--standby with --plan',
      why: 'a plan rests on the facts of now, and not on those of the takeover',
      next: 'leave --plan out',
    });
  if (takeOverAfter !== undefined && takeOverAfter < LEAST_SILENT_MS)
    throw new XcError('XC-1004', { subject: '--take-over-after', why: 'less than 5s' });
  return { silentMs: takeOverAfter ?? SILENT_MS };
};

/** The run ended in good order before the streams were free. */
export const stoodBy = (run: string, { streams }: Pick<Selected, 'streams'>): Outcome => ({
  document: {
    schemaVersion: 1,
    run,
    outcome: 'stood-by',
    exit: 0,
    streams: streams.map(({ key }) => key),
  },
  table: () => `run ${run} stood by and was not needed`,
});
