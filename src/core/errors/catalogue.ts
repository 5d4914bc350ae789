/**
 * Every error code, in one table: `xcrepl explain CODE` and docs/errors.md are made from it. A code is never given a
 * new meaning and never reused. Its thousand decides the exit code, except 7xxx, where each code names its own.
 */

import type { CodeEntry } from './code-entry.ts';
import { usageCodes } from './codes/usage.ts';
import { policyCodes } from './codes/policy.ts';
import { planCodes } from './codes/plan.ts';
import { accessCodes } from './codes/access.ts';
import { integrityCodes } from './codes/integrity.ts';
import { objectCodes } from './codes/objects.ts';
import { mirrorCodes } from './codes/mirror.ts';
import { snapshotCodes } from './codes/snapshots.ts';
import { checkCodes } from './codes/checks.ts';
import { changelogCodes } from './codes/changelog.ts';
import { schemaChangeCodes } from './codes/schema-change.ts';
import { verificationCodes } from './codes/verification.ts';
import { joiningCodes } from './codes/joining.ts';
import { unavailableCodes } from './codes/unavailable.ts';
import { auditCodes } from './codes/audit.ts';
import { signingCodes } from './codes/signing.ts';
import { lockCodes } from './codes/lock.ts';
import { bugCodes } from './codes/bug.ts';

export const codes = {
  ...usageCodes,
  ...policyCodes,
  ...planCodes,
  ...accessCodes,
  ...integrityCodes,
  ...objectCodes,
  ...mirrorCodes,
  ...snapshotCodes,
  ...checkCodes,
  ...changelogCodes,
  ...schemaChangeCodes,
  ...verificationCodes,
  ...joiningCodes,
  ...unavailableCodes,
  ...auditCodes,
  ...signingCodes,
  ...lockCodes,
  ...bugCodes,
} as const satisfies Record<`XC-${number}`, CodeEntry>;

export type XcCode = keyof typeof codes;
