/** What an error of an object store lets its caller do. Told by code, never by the text of a message. */

import { isXcError, type XcCode, XcError } from '../errors/xc-error.ts';

/**
 * - `retry`: passes by itself; the same request may work later
 * - `auth`: needs other credentials or rights
 * - `gone`: there is no such object, upload or bucket
 * - `precondition`: somebody else wrote there meanwhile
 * - `damaged`: the content is not what was announced
 * - `fatal`: the same request will fail again
 */
export type StoreBehaviour = 'retry' | 'auth' | 'gone' | 'precondition' | 'damaged' | 'fatal';

const BEHAVIOURS: Partial<Record<XcCode, StoreBehaviour>> = {
  'XC-4101': 'auth',
  'XC-4102': 'auth',
  'XC-5401': 'gone',
  'XC-5402': 'precondition',
  'XC-5403': 'damaged',
  'XC-6101': 'retry',
};

export const behaviourOf = (error: unknown): StoreBehaviour =>
  isXcError(error) ? (BEHAVIOURS[error.code] ?? 'fatal') : 'fatal';

/** How long the store asked to be left alone, where it did; milliseconds. */
export const retryAfterMs = (error: unknown): number | null => {
  const asked = isXcError(error) ? error.facts['retryAfterMs'] : undefined;
  return typeof asked === 'number' ? asked : null;
};

export const objectGone = (place: string, key: string): XcError =>
  new XcError('XC-5401', { subject: `${place} ${key}` });

export const preconditionFailed = (place: string, key: string, why: string): XcError =>
  new XcError('XC-5402', { subject: `${place} ${key}`, why });

export const contentDiffers = (place: string, key: string, why: string): XcError =>
  new XcError('XC-5403', { subject: `${place} ${key}`, why });

export interface HttpAnswer {
  readonly place: string;
  readonly subject: string;
  readonly status: number;
  /** The provider's own word for it (`SlowDown`, `BlobNotFound`). */
  readonly reason: string;
  /** The header as it came: seconds or a date. */
  readonly retryAfter?: string | undefined;
  /** The header as it came: the store's own time. */
  readonly date?: string | undefined;
  readonly nowMs: number;
  readonly cause?: unknown;
}

/** RFC 9110, section 10.2.3. */
const waitMs = (header: string | undefined, nowMs: number): number | undefined => {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
};

/**
 * A signed request is refused when its time is further from the store's (S3, "RequestTimeTooSkewed"; Azure, "Authorize
 * with Shared Key"). Not every store says that this is why, but every one says what time it is.
 */
const MOST_SKEW_MS = 15 * 60_000;

const clocksDiffer = ({ date, nowMs }: HttpAnswer): boolean =>
  date !== undefined && Math.abs(Date.parse(date) - nowMs) > MOST_SKEW_MS;

/** What S3 and Azure call a body that is not the one whose digest was sent with it. */
const DAMAGE_WORDS = /^(XAmzContentSHA256Mismatch|BadDigest|Md5Mismatch|Crc64Mismatch)$/;

/** Credentials that a role gave for a while: S3 answers 400 to them. */
const EXPIRED = /^(ExpiredToken|InvalidToken|TokenRefreshRequired)$/;

const codeFor = (answer: HttpAnswer): XcCode => {
  const { status, reason } = answer;
  if (DAMAGE_WORDS.test(reason)) return 'XC-5403';
  if (status === 400 && EXPIRED.test(reason)) return 'XC-4101';
  if (status === 404 || status === 410) return 'XC-5401';
  if (status === 401 || status === 403) return clocksDiffer(answer) ? 'XC-4102' : 'XC-4101';
  // 409 is S3's and Azurite's word for two conditional writes at once, and for one that came too late.
  if (status === 412 || status === 409 || status === 304) return 'XC-5402';
  if (status === 408 || status === 429 || status >= 500) return status === 507 ? 'XC-6103' : 'XC-6101';
  return 'XC-6102';
};

/** An answer that is no success, as the error that it is. */
export const answerError = (answer: HttpAnswer): XcError => {
  const retryAfter = waitMs(answer.retryAfter, answer.nowMs);
  return new XcError(codeFor(answer), {
    subject: `${answer.place} ${answer.subject}`.trim(),
    why: `${answer.status} ${answer.reason}`.trim(),
    facts: { status: answer.status, ...(retryAfter === undefined ? {} : { retryAfterMs: retryAfter }) },
    cause: answer.cause,
  });
};

/** A connection that was refused, cut or never answered. */
export const unreachable = (place: string, subject: string, cause: unknown): XcError =>
  new XcError('XC-6101', {
    subject: `${place} ${subject}`.trim(),
    why: cause instanceof Error ? cause.message : String(cause),
    cause,
  });
