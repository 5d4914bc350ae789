/** The one abort signal of a run, made when it is first asked for: help and errors of usage never need it. */

export interface Stopper {
  readonly signal: AbortSignal;
  /** Undefined while nothing has told the work to stop. */
  readonly reason: unknown;
  stop(reason: unknown): void;
}

export const createStopper = (): Stopper => {
  let controller: AbortController | undefined;
  const made = (): AbortController => (controller ??= new AbortController());
  return {
    get signal() {
      return made().signal;
    },
    get reason(): unknown {
      return controller?.signal.reason;
    },
    stop: (reason) => made().abort(reason),
  };
};
