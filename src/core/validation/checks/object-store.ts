/** A region's object store: is it there, is the bucket, and are our credentials let in. */

import type { Finding } from '../finding.ts';
import type { ObservedStore, SignedAnswer } from '../observed-service.ts';

type Seen = Partial<Finding> & Pick<Finding, 'seen'>;

interface Row {
  readonly region: string;
  readonly store: ObservedStore;
  /** Where a rule needs the store. */
  readonly severity: 'block' | 'warn';
}

const row = ({ region, store }: Row, seen: Seen): Finding => ({
  check: 'object-store',
  region,
  subject: `${store.kind} ${store.bucket} at ${store.endpoint}`,
  verdict: 'pass',
  severity: 'info',
  ...seen,
});

/**
 * Only a request with our credentials passes. One without signature tells whether the store is there and whether
 * anybody may list it; where there was no other, its refusal is unknown, and is never counted as pass.
 */
export const checkStore = (region: string, store: ObservedStore, isNeeded: boolean): Finding => {
  const at: Row = { region, store, severity: isNeeded ? 'block' : 'warn' };
  if (store.answer.kind === 'none' && store.signed === null)
    return row(at, {
      verdict: 'fail',
      severity: at.severity,
      seen: store.answer.why,
      remedy: 'check the endpoint and the network',
      code: 'XC-6015',
    });
  if (isOpen(store))
    return row(at, {
      verdict: 'unknown',
      severity: 'warn',
      seen: `reachable, and open to requests without signature (HTTP ${statusOf(store)}): anybody can list it`,
      remedy: 'close public access to the bucket',
      code: 'XC-5341',
    });
  return store.signed ? judgeSigned(at, store.signed) : judgeUnsigned(at);
};

const statusOf = ({ answer }: ObservedStore): number => (answer.kind === 'answer' ? answer.status : 0);

/** Google's emulators and Azure's let everybody in at the address that is asked; a bucket that is private refuses. */
const isOpen = (store: ObservedStore): boolean => statusOf(store) >= 200 && statusOf(store) < 300;

const judgeSigned = (at: Row, signed: SignedAnswer): Finding => {
  if (signed.kind === 'listed') return row(at, { seen: 'reachable, and our credentials may list it' });
  const failed = (seen: string, remedy: string, code: Finding['code']): Finding =>
    row(at, { verdict: 'fail', severity: at.severity, seen, remedy, ...(code ? { code } : {}) });
  switch (signed.behaviour) {
    case 'auth':
      return failed(
        `reachable; our credentials are not let in: ${signed.why}`,
        'check objects.credentials, or what the SDK finds, and the rights to list the bucket',
        'XC-4101',
      );
    case 'gone':
      return failed(
        `reachable; no such bucket: ${signed.why}`,
        `create ${at.store.bucket}, or correct its name`,
        'XC-5341',
      );
    case 'retry':
      return failed(signed.why, 'see the store’s own status', 'XC-6015');
    case 'precondition':
    case 'damaged':
    case 'fatal':
      return judgeElsewhere(at) ?? failed(signed.why, 'check the settings of objects', 'XC-5341');
  }
};

const judgeUnsigned = (at: Row): Finding => {
  const { kind, bucket } = at.store;
  const status = statusOf(at.store);
  if (status === 401 || status === 403)
    return row(at, {
      verdict: 'unknown',
      severity: 'info',
      seen: `reachable; not authorised (unsigned request, HTTP ${status}), so whether our credentials are let in is not known`,
      code: 'XC-5340',
    });
  if (status === 404) {
    // Azure hides private containers behind 404; the others do not hide a bucket that exists.
    const hidden = kind === 'azure';
    return row(at, {
      verdict: hidden ? 'unknown' : 'fail',
      severity: hidden ? 'info' : at.severity,
      seen: hidden
        ? 'reachable; the container is private or missing (HTTP 404, unsigned request)'
        : 'reachable; no such bucket (HTTP 404)',
      remedy: `create ${bucket}, or correct its name`,
      code: 'XC-5341',
    });
  }
  return (
    judgeElsewhere(at) ??
    row(at, {
      verdict: status >= 500 ? 'fail' : 'unknown',
      severity: status >= 500 ? at.severity : 'warn',
      seen: `HTTP ${status}`,
      remedy: 'see the store’s own status',
      code: 'XC-6015',
    })
  );
};

const judgeElsewhere = (at: Row): Finding | null => {
  const { answer } = at.store;
  if (answer.kind === 'none') return null;
  const elsewhere = answer.headers['x-amz-bucket-region'];
  const isMoved = answer.status === 301 || answer.status === 307;
  if (!isMoved && (answer.status !== 400 || elsewhere === undefined)) return null;
  return row(at, {
    verdict: 'fail',
    severity: at.severity,
    seen: `reachable; the bucket is in another region${elsewhere ? ` (${elsewhere})` : ''}`,
    remedy: `set region: ${elsewhere ?? '…'} for this object store`,
    code: 'XC-5341',
  });
};
