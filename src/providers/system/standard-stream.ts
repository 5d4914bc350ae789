/**
 * Writes to standard output or error without opening Node's stream for it, which costs a tenth of start-up. Only where
 * the file descriptor was made non-blocking by whoever shares it, and is full, does the stream take over the rest.
 */

import { writeSync } from 'node:fs';

type Stream = Pick<NodeJS.WriteStream, 'write' | 'on'>;

export interface StandardStream {
  write(text: string): void;
  /** Resolves when all was taken by the reader's side, or writing has failed. */
  flush(): Promise<void>;
}

/**
 * @param open opens Node's own stream of this descriptor
 * @param onError called once, with EPIPE when the reader went away; nothing is written afterwards
 */
export const standardStream = (
  fd: 1 | 2,
  open: () => Stream,
  onError: (error: NodeJS.ErrnoException) => void,
): StandardStream => {
  let stream: Stream | undefined;
  let failed = false;

  const fail = (error: NodeJS.ErrnoException): void => {
    if (failed) return;
    failed = true;
    onError(error);
  };
  const handOver = (rest: Uint8Array): void => {
    stream = open();
    stream.on('error', fail);
    stream.write(rest);
  };
  return {
    write(text) {
      if (failed || text === '') return;
      if (stream) {
        stream.write(text);
        return;
      }
      const bytes = Buffer.from(text);
      for (let done = 0; done < bytes.length;) {
        try {
          done += writeSync(fd, bytes, done);
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException;
          if (code === 'EINTR') continue;
          if (code === 'EAGAIN') handOver(bytes.subarray(done));
          else fail(error as NodeJS.ErrnoException);
          return;
        }
      }
    },
    async flush() {
      const open = stream;
      // An error event follows the callback, so that it is known before this resolves.
      if (open && !failed) await new Promise<void>((resolve) => open.write('', () => setImmediate(resolve)));
    },
  };
};
