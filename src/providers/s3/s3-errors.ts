/** What S3 and the way to it say, as errors that tell what can be done. */

import { isErrno } from '../../core/errors/errno.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { answerError, unreachable } from '../../core/objects/store-errors.ts';

/** What the SDK throws for an answer; its classes differ between commands, this shape does not. */
interface SdkError extends Error {
  readonly $metadata: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
  readonly Code?: string;
}

const isSdkError = (error: unknown): error is SdkError =>
  error instanceof Error && '$metadata' in error && typeof error.$metadata === 'object';

/** Of @smithy/node-http-handler and of the socket: the connection, not the answer. */
const CONNECTION = /^(TimeoutError|RequestTimeout|NetworkingError)$/;

/** No key, or one that a profile or a role should have given. Thrown before anything is sent. */
const NO_CREDENTIALS = /^(CredentialsProviderError|TokenProviderError|ExpiredTokenException)$/;

export const explainS3 = (error: unknown, place: string, key: string, nowMs: number): unknown => {
  if (error instanceof XcError || !(error instanceof Error)) return error;
  if (NO_CREDENTIALS.test(error.name))
    return new XcError('XC-4101', { subject: place, why: error.message, cause: error });
  if (isSdkError(error) && error.$metadata.httpStatusCode !== undefined) {
    const reason = error.Code ?? error.name;
    return answerError({
      place,
      subject: key,
      status: error.$metadata.httpStatusCode,
      reason,
      retryAfter: error.$response?.headers?.['retry-after'],
      date: error.$response?.headers?.['date'],
      nowMs,
      cause: error,
    });
  }
  return isErrno(error) || CONNECTION.test(error.name) ? unreachable(place, key, error) : error;
};

/** The status of an answer, or null for anything else. */
export const statusOf = (error: unknown): number | null =>
  isSdkError(error) ? (error.$metadata.httpStatusCode ?? null) : null;
