/** The options of every command that removes something for good. */

import type { Command } from '@commander-js/extra-typings';
import { XcError } from '../../core/errors/xc-error.ts';

export interface RemovalOptions {
  /** Writes the plan, and removes nothing. */
  readonly out?: string | undefined;
  readonly plan?: string | undefined;
  readonly approval?: readonly string[] | undefined;
}

export const withRemovalPlan = (command: Command) =>
  command
    .option('--out <file>', 'write down what would be removed, for approval, and remove nothing')
    .option('--plan <file>', 'a plan that --out wrote: needed in production, signed and approved')
    .option('--approval <files...>', 'approvals of the plan (default: PLAN.approval.*.json)');

/** Of a command that removes only with another option. @throws XcError XC-1001 */
export const refuseRemovalOptions = (options: RemovalOptions): void => {
  const given = (['out', 'plan', 'approval'] as const).find((name) => options[name] !== undefined);
  if (given !== undefined)
    throw new XcError('XC-1001', {
      subject: `--${given}`,
      why: 'it goes with --stop',
      next: 'add --stop, or leave it out',
    });
};
