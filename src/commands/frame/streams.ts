/**
 * Standard output and standard error, redacted. A reader that goes away (`| head -1`) ends the output quietly; anything
 * else that goes wrong with standard output is an error, because the result was not delivered.
 */

import { XcError } from '../../core/errors/xc-error.ts';
import type { Redactor } from './redactor.ts';

export interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /**
   * Waits until standard output has taken everything, however slowly the reader reads.
   * @throws XcError XC-6002 when it could not be written
   */
  flush(): Promise<void>;
  readonly closed: boolean;
}

type Stream = Pick<NodeJS.WriteStream, 'write' | 'on'>;

export interface StreamPair {
  readonly stdout: Stream;
  readonly stderr: Stream;
}

/** @param streams opened at the first use, because opening them costs start-up time */
export const openOutput = (streams: StreamPair, redactor: Redactor, onClosed: () => void): Output => {
  let closed = false;
  let failure: Error | undefined;
  let opened: Stream | undefined;
  let errOpened: Stream | undefined;

  const stdout = (): Stream => {
    if (opened) return opened;
    opened = streams.stdout;
    opened.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') {
        if (!closed) onClosed();
        closed = true;
      } else failure ??= error;
    });
    return opened;
  };
  const stderr = (): Stream => {
    if (errOpened) return errOpened;
    errOpened = streams.stderr;
    // Nobody is left to be told.
    errOpened.on('error', () => undefined);
    return errOpened;
  };

  return {
    out: (text) => {
      if (!closed && text !== '') stdout().write(redactor.text(text));
    },
    err: (text) => void stderr().write(redactor.text(text)),
    async flush() {
      const stream = opened;
      if (stream && !closed)
        await new Promise<void>((resolve) => stream.write('', () => setImmediate(resolve)));
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
