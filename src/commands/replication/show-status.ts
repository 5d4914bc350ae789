/** Looks at the servers, once or again and again, and shows what it saw. */

import { EXIT, exitOf } from '../../core/errors/exit.ts';
import { isXcError, type XcError } from '../../core/errors/xc-error.ts';
import { retentionRule } from '../../core/metrics/retained-wal.ts';
import { parseCondition, type Condition } from '../../core/report/condition.ts';
import { isFinding, linkStatuses } from '../../core/report/status.ts';
import type { LinkStatus } from '../../core/report/link-status.ts';
import type { StreamLook } from '../../core/report/look.ts';
import type { Stream } from '../../core/topology/link.ts';
import { isoTime } from '../../core/time/clock.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { selectLinks, type Selected, type Selection } from './selection.ts';
import { statusLines, statusView } from './status-view.ts';

export interface StatusOptions extends Selection {
  readonly watch?: boolean | undefined;
  readonly interval: number;
  readonly waitFor?: string | undefined;
  readonly failOn?: 'findings' | 'never' | undefined;
  readonly detailedExitcode?: boolean | undefined;
}

export interface Status {
  readonly schemaVersion: 1;
  readonly at: string;
  readonly links: readonly LinkStatus[];
}

export const showStatus = async (host: Host, options: StatusOptions): Promise<Outcome> => {
  const condition = options.waitFor === undefined ? null : parseCondition(options.waitFor);
  const selected = await selectLinks(host, await host.config(), options);
  await using watcher = await openWatcher(host, selected);
  if (options.watch) return await watch(host, watcher, options, condition);
  if (condition) return await waitFor(host, watcher, options, condition);
  return outcome(await watcher.look(), options);
};

const outcome = (status: Status, options: StatusOptions, exit?: number): Outcome => {
  const strict = options.detailedExitcode || options.failOn === 'findings';
  const found = strict && status.links.some(isFinding) ? EXIT.findings : EXIT.done;
  return {
    document: status,
    records: status.links,
    exit: exit ?? found,
    table: (paint) => statusView(status.links, paint),
  };
};

/** The deadline is --timeout, which ends the waiting with exit 10; what was seen last is shown all the same. */
const waitFor = async (
  host: Host,
  watcher: Watcher,
  options: StatusOptions,
  condition: Condition,
): Promise<Outcome> => {
  let last: Status | null = null;
  for (;;) {
    try {
      last = await watcher.look();
      if (condition.holds(last.links)) return outcome(last, options);
      host.narrator.detail(`waiting for ${condition.text}`);
      await host.clock.sleep(options.interval, host.signal);
    } catch (error) {
      if (!host.signal.aborted || !last) throw error;
      if (!isXcError(host.signal.reason, 'XC-7001')) throw error;
      host.narrator.warn(`${condition.text} does not hold at the deadline`);
      return outcome(last, options, EXIT.deadline);
    }
  }
};

const watch = async (
  host: Host,
  watcher: Watcher,
  options: StatusOptions,
  condition: Condition | null,
): Promise<Outcome> => {
  let last = await watcher.look();
  const done = (): boolean => condition?.holds(last.links) ?? false;
  const again = async (): Promise<boolean> => {
    if (done()) return false;
    try {
      await host.clock.sleep(options.interval, host.signal);
      last = await watcher.look();
      return true;
    } catch (error) {
      if (!host.signal.aborted) throw error;
      return false;
    }
  };
  if (host.terminal.stdout && host.flags.output === 'table') {
    const { watchScreen } = await import('../render/status-watch.ts');
    await watchScreen(() => last.links, again);
  } else {
    do for (const line of recordsOf(host, last)) host.print(line);
    while (await again());
  }
  const silent: Outcome = { document: last, records: [], table: () => '' };
  return condition && !done() ? { ...silent, exit: EXIT.deadline } : silent;
};

const recordsOf = (host: Host, status: Status): readonly string[] =>
  host.flags.output === 'table'
    ? statusLines(status.links).map((line) => `${status.at} ${line}`)
    : [JSON.stringify(status)];

interface Watcher extends AsyncDisposable {
  look(): Promise<Status>;
}

/** Keeps a session to each database, so that looking again costs one statement. */
const openWatcher = async (host: Host, selected: Selected): Promise<Watcher> => {
  const { Looker } = await import('./look.ts');
  const looker = new Looker(selected.dsns, host.clock, host.signal);
  return {
    async look() {
      const { regions } = selected.loaded.config;
      const looks = await Promise.all(
        selected.streams.map(async (stream) => ({
          ...(await lookAt(looker, stream)),
          retention: retentionRule(regions[stream.source.region]),
        })),
      );
      refuseBlind(looks);
      return { schemaVersion: 1, at: isoTime(host.clock.nowMs()), links: linkStatuses(looks, selected.ids) };
    },
    [Symbol.asyncDispose]: () => looker[Symbol.asyncDispose](),
  };
};

interface Look extends StreamLook {
  readonly failures: readonly XcError[];
}

const lookAt = async (looker: import('./look.ts').Looker, stream: Stream): Promise<Look> => {
  const [source, target] = await Promise.allSettled([
    looker.source(stream.source),
    looker.target(stream.target),
  ]);
  const failures = [source, target].flatMap((each) => {
    if (each.status === 'fulfilled') return [];
    if (!isXcError(each.reason)) throw each.reason;
    return [each.reason];
  });
  return {
    stream,
    source: source.status === 'fulfilled' ? source.value : null,
    target: target.status === 'fulfilled' ? target.value : null,
    errors: failures.map((error) => `${error.code} ${error.message}`),
    failures,
  };
};

/** One server that does not answer is part of the status; when nothing could be seen at all, that is the error. */
const refuseBlind = (looks: readonly Look[]): void => {
  const [first] = looks.flatMap((look) => look.failures);
  const usage = looks.flatMap((look) => look.failures).find((error) => exitOf(error.code) === EXIT.usage);
  if (usage) throw usage;
  if (first && looks.every((look) => look.target === null)) throw first;
};
