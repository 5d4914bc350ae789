/** What Cloud Storage and the way to it say ("HTTP status and error codes for JSON"), as errors that tell what can be done. */

import { isErrno } from '../../core/errors/errno.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { answerError, unreachable } from '../../core/objects/store-errors.ts';

/** The client's ApiError and the HTTP library's error: a number as code, and somewhere the answer. */
interface GoogleError extends Error {
  readonly code?: number | string;
  readonly status?: number;
  readonly errors?: readonly { readonly reason?: string }[];
  readonly response?: { readonly headers?: unknown; readonly status?: number; readonly statusCode?: number };
}

const isGoogleError = (error: unknown): error is GoogleError => error instanceof Error;

/** The status of an answer, or null for anything else. */
export const statusOf = (error: unknown): number | null => {
  if (!isGoogleError(error)) return null;
  const found = [error.code, error.status, error.response?.status, error.response?.statusCode].find(
    (status) => typeof status === 'number' || /^\d{3}$/.test(status ?? ''),
  );
  return found === undefined ? null : Number(found);
};

const headerOf = (headers: unknown, name: string): string | undefined => {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  if (typeof headers !== 'object' || headers === null) return undefined;
  const value: unknown = Reflect.get(headers, name);
  return typeof value === 'string' ? value : undefined;
};

/** A body whose checksum the client found to be another one. */
const DAMAGED = /^(CONTENT_DOWNLOAD_MISMATCH|FILE_NO_UPLOAD|FILE_NO_UPLOAD_DELETE)$/;

const LOST = /^(FetchError|AbortError|RequestError|GaxiosError)$/;

export const explainGcs = (error: unknown, place: string, key: string, nowMs: number): unknown => {
  if (error instanceof XcError || !isGoogleError(error)) return error;
  const subject = `${place} ${key}`;
  if (typeof error.code === 'string' && DAMAGED.test(error.code))
    return new XcError('XC-5403', { subject, why: error.message, cause: error });
  const status = statusOf(error);
  if (status !== null)
    return answerError({
      place,
      subject: key,
      status,
      reason: error.errors?.[0]?.reason ?? error.name,
      retryAfter: headerOf(error.response?.headers, 'retry-after'),
      date: headerOf(error.response?.headers, 'date'),
      nowMs,
      cause: error,
    });
  if (/default credentials|Could not refresh access token/i.test(error.message))
    return new XcError('XC-4101', { subject: place, why: error.message, cause: error });
  return isErrno(error) || LOST.test(error.name) ? unreachable(place, key, error) : error;
};
