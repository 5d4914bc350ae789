/**
 * Progress on standard error: a bar that rewrites its line, only on a terminal; otherwise one plain line per 30 s, so
 * that a log stays readable; nothing with --quiet.
 */

import type { Clock } from '../../core/time/clock.ts';
import type { GlobalFlags, ProgressTask } from './host.ts';

/** DESIGN, "The command line": one plain line per 30 s. */
const PLAIN_EVERY_MS = 30_000;
/** A bar that is redrawn more often only flickers. */
const BAR_EVERY_MS = 100;
const BAR_CELLS = 24;
const CLEAR_LINE = '\r\u001b[2K';

export interface ProgressParts {
  readonly flags: Pick<GlobalFlags, 'progress' | 'quiet'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly terminal: { readonly stderr: boolean };
  readonly write: (text: string) => void;
}

export const progressMode = ({ flags, terminal }: ProgressParts): 'bar' | 'plain' | 'none' => {
  if (flags.quiet || flags.progress === 'none') return 'none';
  // A bar that was asked for is still refused where its control characters would end up in a file.
  if (flags.progress === 'plain' || !terminal.stderr) return 'plain';
  return 'bar';
};

export const createProgress = (name: string, parts: ProgressParts): ProgressTask => {
  const mode = progressMode(parts);
  if (mode === 'none') return { update: () => undefined, end: () => undefined };
  const everyMs = mode === 'bar' ? BAR_EVERY_MS : PLAIN_EVERY_MS;
  let lastMs = mode === 'bar' ? -Infinity : parts.clock.nowMs();
  let shown = false;
  return {
    update(done, total, detail) {
      const nowMs = parts.clock.nowMs();
      if (nowMs - lastMs < everyMs) return;
      lastMs = nowMs;
      shown = true;
      const text = [name, amount(done, total), detail].filter(Boolean).join('  ');
      parts.write(mode === 'bar' ? `${CLEAR_LINE}${bar(done, total)}${text}` : `${text}\n`);
    },
    end() {
      if (shown && mode === 'bar') parts.write(CLEAR_LINE);
    },
  };
};

const amount = (done: number, total: number | null): string =>
  total === null || total <= 0
    ? String(done)
    : `${done}/${total} (${Math.min(100, Math.floor((100 * done) / total))} %)`;

const bar = (done: number, total: number | null): string => {
  if (total === null || total <= 0) return '';
  const filled = Math.max(0, Math.min(BAR_CELLS, Math.floor((BAR_CELLS * done) / total)));
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_CELLS - filled)}] `;
};
