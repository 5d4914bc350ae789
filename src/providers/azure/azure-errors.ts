/** What Azure Blob Storage and the way to it say ("Status and error codes"), as errors that tell what can be done. */

import { RestError } from '@azure/storage-blob';
import { isErrno } from '../../core/errors/errno.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { answerError, unreachable } from '../../core/objects/store-errors.ts';

/** A commit of blocks that another write of the same blob swept away is a lost race. */
const LOST_RACE = 'InvalidBlockList';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const wordOf = (error: RestError): string => {
  const { details } = error;
  const word = isObject(details) ? details['errorCode'] : undefined;
  return typeof word === 'string' ? word : (error.code ?? error.name);
};

/** The status of an answer, or null for anything else. */
export const statusOf = (error: unknown): number | null =>
  error instanceof RestError ? (error.statusCode ?? null) : null;

export const explainAzure = (error: unknown, place: string, key: string, nowMs: number): unknown => {
  if (error instanceof XcError || !(error instanceof Error)) return error;
  const status = statusOf(error);
  if (error instanceof RestError && status !== null) {
    const reason = wordOf(error);
    return answerError({
      place,
      subject: key,
      status: reason === LOST_RACE ? 412 : status,
      reason,
      retryAfter: error.response?.headers.get('retry-after'),
      date: error.response?.headers.get('date'),
      nowMs,
      cause: error,
    });
  }
  if (/^(CredentialUnavailableError|AuthenticationError|AggregateAuthenticationError)$/.test(error.name))
    return new XcError('XC-4101', { subject: place, why: error.message, cause: error });
  return error instanceof RestError || isErrno(error) ? unreachable(place, key, error) : error;
};
