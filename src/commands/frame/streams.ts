/**
 * Standard output and standard error, redacted. A reader that goes away (`| head -1`) ends the output quietly; anything
 * else that goes wrong with standard output is an error, because the result was not delivered.
 */

import { XcError } from '../../core/errors/xc-error.ts';
import { standardStream } from '../../providers/system/standard-stream.ts';
import type { Redactor } from './redactor.ts';

export interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /**
   * Waits until standard output has taken everything, however slowly the reader reads.
   * @throws XcError XC-6002 when it could not be written
   */
  flush(): Promise<void>;
  /** The reader of standard output went away. */
  readonly closed: boolean;
}

export const openOutput = (
  streams: Pick<NodeJS.Process, 'stdout' | 'stderr'>,
  redactor: Redactor,
  onClosed: () => void,
): Output => {
  let closed = false;
  let failure: Error | undefined;
  const stdout = standardStream(
    1,
    () => streams.stdout,
    (error) => {
      if (error.code === 'EPIPE') {
        closed = true;
        onClosed();
      } else failure = error;
    },
  );
  const stderr = standardStream(
    2,
    () => streams.stderr,
    // Nobody is left to be told.
    () => undefined,
  );
  return {
    out: (text) => stdout.write(redactor.text(text)),
    err: (text) => stderr.write(redactor.text(text)),
    async flush() {
      await stdout.flush();
      await stderr.flush();
      if (failure)
        throw new XcError('XC-6002', {
          subject: 'standard output',
          why: failure.message,
          next: 'free space where the output goes, then run the same command again',
          cause: failure,
        });
    },
    get closed() {
      return closed;
    },
  };
};
