/**
 * Health of a long-running mode. Live: the process works at all, and restarting it would not help. Ready: every stream
 * carries changes now. Each answer that is no has its reasons; an alarm is a reason to look, whatever the answers are.
 */

import type { StreamKey } from '../topology/link.ts';

export type StreamPhase = 'waiting' | 'starting' | 'copying' | 'streaming' | 'paused' | 'failed' | 'ended';

export interface HealthReport {
  readonly schemaVersion: 1;
  readonly live: boolean;
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

export class Health {
  readonly #alarms = new Map<StreamKey, string>();
  readonly #streams = new Map<StreamKey, { phase: StreamPhase; reason: string | null }>();

  set(stream: StreamKey, phase: StreamPhase, reason: string | null = null): void {
    this.#streams.set(stream, { phase, reason });
  }

  /** What has to be looked at although changes are carried; null ends it. */
  alarm(stream: StreamKey, text: string | null): void {
    if (text === null) this.#alarms.delete(stream);
    else this.#alarms.set(stream, text);
  }

  report(): HealthReport {
    const all = [...this.#streams];
    const failed = all.filter(([, { phase }]) => phase === 'failed');
    const reasons = all
      .filter(([, { phase }]) => phase !== 'streaming')
      .map(([key, { phase, reason }]) => `stream ${key}: ${phase}${reason === null ? '' : `, ${reason}`}`);
    for (const [key, text] of this.#alarms) reasons.push(`stream ${key}: ${text}`);
    if (all.length === 0) reasons.push('no stream was started yet');
    return {
      schemaVersion: 1,
      live: all.length === 0 || failed.length < all.length,
      ready: all.length > 0 && all.every(([, { phase }]) => phase === 'streaming'),
      reasons,
    };
  }
}
