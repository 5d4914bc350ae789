/** A configuration that was read and validated, with where each value came from. */

import type { Config } from './schema.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** sha256 of the canonical JSON of the parsed configuration, "sha256:…": stands in plans and reports. */
  readonly digest: string;
  /** Path of the project file, or null when the environment alone describes the regions. */
  readonly path: string | null;
  /** Source of a value by its dotted path: "flag", "environment NAME", "file:line:column", "default". */
  origin(path: string): string;
  /** CONTRACTS, "Configuration": `environment: lab`, SIMULATION_MODE=true, or neither file nor DSN. */
  readonly mode: 'live' | 'simulation';
  /** What simulation lacks, by name; empty in live mode. */
  readonly missing: readonly string[];
  /** REPLICATION_WINDOW_MS: the longest time that a batch may wait, in milliseconds. */
  readonly replicationWindowMs: number;
}
