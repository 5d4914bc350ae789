/**
 * Machine logs of modes that run for long (`--follow`, `serve`): one JSON object a line on standard error, by pino.
 * Loaded only by those; everything else narrates.
 */

import { pino, stdTimeFunctions, type DestinationStream } from 'pino';

export interface LogContext {
  readonly [field: string]: unknown;
}

export interface Logger {
  debug(event: string, fields?: LogContext): void;
  info(event: string, fields?: LogContext): void;
  warn(event: string, fields?: LogContext): void;
  error(event: string, fields?: LogContext): void;
}

/** Fields that hold secrets by their name, whatever their value; values that are known are redacted as text. */
const SECRET_FIELDS = ['dsn', 'password', 'token', 'key', 'secret', 'authorization'];

export interface LoggerOptions {
  readonly verbose: boolean;
  /** On every line: run, stream, host. */
  readonly context: LogContext;
  /** Takes what secrets are known out of a line; Host.redact. */
  readonly redact: (text: string) => string;
  /** Writes a whole line with its line break to standard error. */
  readonly write: (line: string) => void;
}

export const createLogger = ({ verbose, context, redact, write }: LoggerOptions): Logger => {
  const destination: DestinationStream = { write: (line) => write(redact(line)) };
  const log = pino(
    {
      level: verbose ? 'debug' : 'info',
      base: { ...context },
      timestamp: stdTimeFunctions.isoTime,
      messageKey: 'event',
      formatters: { level: (level) => ({ level }) },
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '***' },
    },
    destination,
  );
  return {
    debug: (event, fields = {}) => log.debug(fields, event),
    info: (event, fields = {}) => log.info(fields, event),
    warn: (event, fields = {}) => log.warn(fields, event),
    error: (event, fields = {}) => log.error(fields, event),
  };
};
