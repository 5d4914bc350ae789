/** What passes by itself is tried again, with growing pauses; what does not is thrown at once. */

import pRetry from 'p-retry';
import { XcError } from '../../../core/errors/xc-error.ts';
import { codeOf, pgError } from '../pg-error.ts';
import { isTransient } from '../wire/server-error.ts';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 15_000;
/** With the pauses above about two minutes: a restart or a failover of a server is over by then. */
const ATTEMPTS = 12;

const PASSING = new Set(['XC-6001', 'XC-6010', 'XC-6011', 'XC-6012', 'XC-5207']);

/** Connection loss, servers that start or stop, serialization, locks; and a schema that is looked at again. */
export const mayPass = (error: unknown): boolean => {
  if (isTransient(error) || TRANSIENT_CODES.has(codeOf(error))) return true;
  const typed = asXcError(error, '');
  return typed instanceof XcError && PASSING.has(typed.code);
};

/** SQLSTATEs of `pg` clients: serialization, deadlock, a slot or origin that is still in use. */
const TRANSIENT_CODES = new Set(['40001', '40P01', '55006']);

/**
 * @param endless retry for as long as the signal allows: `--follow` outlives any outage
 * @param wait further errors that a person will put right: they are told with what to do, and tried again
 */
export const retrying = async <T>(
  work: () => Promise<T>,
  options: {
    readonly endless: boolean;
    readonly signal: AbortSignal;
    readonly subject: string;
    readonly wait?: ((error: unknown) => boolean) | undefined;
    readonly waiting?: ((error: XcError) => void) | undefined;
    note(text: string): void;
  },
): Promise<T> => {
  try {
    return await pRetry(
      async () => {
        try {
          return await work();
        } catch (error) {
          throw error instanceof Error ? error : new Error(String(error));
        }
      },
      {
        retries: options.endless ? Number.POSITIVE_INFINITY : ATTEMPTS,
        factor: 1.8,
        minTimeout: FIRST_PAUSE_MS,
        maxTimeout: LONGEST_PAUSE_MS,
        signal: options.signal,
        shouldRetry: ({ error }) => mayPass(error) || options.wait?.(error) === true,
        onFailedAttempt: ({ error, attemptNumber }) => {
          if (mayPass(error)) options.note(`attempt ${attemptNumber} failed, trying again: ${error.message}`);
          else if (options.wait?.(error) && error instanceof XcError) {
            options.waiting?.(error);
            options.note(`waiting: ${error.code} ${error.message}\n${error.next}`);
          }
        },
      },
    );
  } catch (error) {
    throw asXcError(error, options.subject);
  }
};

/** A server's or the network's error leaves the engine with a code of ours; a bug stays what it is. */
export const asXcError = (error: unknown, subject: string): unknown => {
  if (error instanceof XcError || !(error instanceof Error)) return error;
  const typed = pgError(error, subject);
  return typed.code === 'XC-6014' && codeOf(error) === '' ? error : typed;
};
