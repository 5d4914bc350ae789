/** What the gates of a plan judge by. */

import type { Config } from '../config/schema.ts';
import type { ApprovalFacts } from '../policy/gates/approval.ts';
import type { PersonalFact } from '../policy/gates/personal-data.ts';
import type { DocumentFact } from '../policy/gates/signatures.ts';

/** What a configuration and its signed manifests say of the gates. */
export interface PolicyContext {
  readonly environment: Config['environment'];
  readonly documents: readonly DocumentFact[];
  /** Signed manifests in force, by tenant. */
  readonly manifests: ReadonlyMap<string, NonNullable<PersonalFact['manifest']>>;
  readonly approvals: Pick<ApprovalFacts, 'required' | 'keys' | 'validForMs'>;
  readonly budgets: Config['budgets'];
}
