/**
 * SIGINT and SIGTERM. The first asks the work to end in good order by aborting a signal; a second ends the process at
 * once, by the default action of that signal, so that the caller's shell sees 130 or 143.
 */

export type InterruptName = 'SIGINT' | 'SIGTERM';

export interface Interrupts {
  readonly received: InterruptName | undefined;
  stop(): void;
}

/**
 * `timeout` and terminals deliver one interruption to a process and to its whole group, and the launcher passes its own
 * on: within this time of the first, a second is the same one. Milliseconds.
 */
const SAME_WITHIN_MS = 100;

export interface InterruptHandlers {
  readonly first: (name: InterruptName) => void;
  /** Called before the process ends. */
  readonly second: (name: InterruptName) => void;
}

export const watchInterrupts = (handlers: InterruptHandlers, nowMs: () => number): Interrupts => {
  let received: InterruptName | undefined;
  let receivedMs = 0;

  const on = (name: InterruptName): void => {
    if (received === undefined) {
      received = name;
      receivedMs = nowMs();
      handlers.first(name);
    } else if (nowMs() - receivedMs > SAME_WITHIN_MS) {
      handlers.second(name);
      stop();
      process.kill(process.pid, name);
    }
  };
  const stop = (): void => {
    process.off('SIGINT', on);
    process.off('SIGTERM', on);
  };
  process.on('SIGINT', on);
  process.on('SIGTERM', on);
  return {
    get received() {
      return received;
    },
    stop,
  };
};
