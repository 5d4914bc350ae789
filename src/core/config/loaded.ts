/** A configuration that was read and validated. */

import type { Config } from './schema.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** sha256 of the canonical JSON of the parsed configuration, "sha256:…": stands in plans and reports. */
  readonly digest: string;
  /** Path of the project file, or null when the environment alone describes the regions. */
  readonly path: string | null;
  /** CONTRACTS, "Configuration": `environment: lab`, SIMULATION_MODE=true, or neither file nor DSN. */
  readonly mode: 'live' | 'simulation';
  /** What simulation lacks, by name; empty in live mode. */
  readonly missing: readonly string[];
  /** REPLICATION_WINDOW_MS: the longest time that a batch may wait, in milliseconds. */
  readonly replicationWindowMs: number;
  /** Signed manifests whose tenants and rules stand in `config`; absent where there are none. */
  readonly manifests?: readonly ManifestInForce[];
}

export interface ManifestInForce {
  /** "tenant/acme". */
  readonly id: string;
  /** "tenant manifest acme". */
  readonly name: string;
  readonly file: string;
  /** Null for one of rules. */
  readonly tenant: string | null;
  /** "tenant acme", "rule shop": what it says instead of the file. */
  readonly speaksOf: readonly string[];
  readonly version: number;
  /** "sha256:…" of the file. */
  readonly digest: string;
  /** Name of the key that signed it; null where none did, which only simulation allows. */
  readonly signedBy: string | null;
  readonly problem: string | null;
  /** Of that key. */
  readonly scopes: readonly string[];
  /** By as many keys as signing.approvals requires. */
  readonly approved: boolean;
}

/** The same with where each value came from, for those who show or explain it. */
export interface TracedConfig extends LoadedConfig {
  /**
   * Source of a leaf by its path as messages write it ("regions.us-east-1.postgres.dsn", "rules[0].from"):
   * "environment NAME", "file:line:column" or "default".
   */
  readonly origin: (path: string) => string;
  /** The document before defaults and units, from whichever sources: what `config show` prints. */
  readonly written: unknown;
}
