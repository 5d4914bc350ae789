/** What a check of one database's server gets: what was seen, and what the configuration wants of it. */

import type { Finding } from '../../finding.ts';
import type { ObservedServer } from '../../observed-server.ts';

export interface ServerContext {
  readonly server: ObservedServer;
  readonly isSource: boolean;
  readonly isTarget: boolean;
  /** Streams that read from this database. */
  readonly streamsFrom: number;
  /** Streams that write to this database. */
  readonly streamsTo: number;
  /** Slots, publications and origins that the configured streams own, here or through its peers. */
  readonly owned: OwnedNames;
}

export interface OwnedNames {
  readonly slots: ReadonlySet<string>;
  /** Copy slots have the run in their name: what stands before it. */
  readonly slotPrefixes: readonly string[];
  readonly publications: ReadonlySet<string>;
  readonly origins: ReadonlySet<string>;
}

export type ServerCheck = (context: ServerContext) => readonly Finding[];

/** A row of a server check; a check has one subject at a time, and always says what it saw. */
export const row = (
  { server }: ServerContext,
  check: string,
  finding: Partial<Finding> & Pick<Finding, 'seen'>,
): Finding => ({
  check,
  region: server.region,
  subject: server.address,
  verdict: 'pass',
  severity: 'info',
  ...finding,
});
