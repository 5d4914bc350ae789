/** What it means that a region's database, or a secret on the way to it, could not be reached. */

import type { XcError } from '../../errors/xc-error.ts';
import type { Finding } from '../finding.ts';

export interface Reach {
  readonly region: string;
  /** The region's role, or a link through it, makes it indispensable. */
  readonly isNeeded: boolean;
  /** Simulation without a lab: servers may be missing, and are listed as such. */
  readonly mayLack: boolean;
}

export const unreachable = (reach: Reach, error: XcError): Finding => ({
  check: 'postgres-reachable',
  region: reach.region,
  subject: error.subject ?? reach.region,
  // Silence may be a slow network; a refusal is an answer.
  verdict: isSilence(error) ? 'unknown' : 'fail',
  severity: severityOf(reach),
  seen: error.why === undefined ? error.title : `${error.title}: ${error.why}`,
  remedy: error.next,
  code: error.code,
});

const isSilence = (error: XcError): boolean => error.code === 'XC-6013' || error.facts['cause'] === SILENCE;

/** Cause of an XC-6001 that is no refusal: nobody answered in time. */
export const SILENCE = 'ETIMEDOUT';

export const notConfigured = (reach: Reach): Finding => ({
  check: 'postgres-reachable',
  region: reach.region,
  subject: reach.region,
  verdict: 'unknown',
  severity: severityOf(reach),
  seen: 'the region has no postgres entry',
  remedy: `set regions.${reach.region}.postgres.dsn`,
  code: 'XC-1006',
});

const severityOf = ({ isNeeded, mayLack }: Reach): Finding['severity'] =>
  mayLack || !isNeeded ? 'warn' : 'block';
