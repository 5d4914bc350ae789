/**
 * Scenarios of PostgreSQL's own suite of logical replication (src/test/subscription/t of its source), told in our words
 * and run with xcrepl as the replicator. docs/conformance.md is made from these declarations; nothing here needs a server.
 */

/** Tables that are copied and then changed, beside those of every other such scenario, in one stream. */
export interface Streamed {
  readonly kind: 'streamed';
  /** Of both sides; of the source alone where `target` is there. In schema app. */
  readonly schema: string;
  readonly target?: string;
  /** Rows before the copy. */
  readonly before?: string;
  /** Transactions, one after the other. */
  readonly changes: readonly string[];
  /** Compared afterwards, by all of their columns or by these. */
  readonly tables: Readonly<Record<string, readonly string[] | 'all'>>;
  /** What the target alone shows after the changes. */
  readonly gives?: { readonly query: string; readonly rows: readonly object[] };
}

export type Shown =
  | Streamed
  /** Steps of its own, in runs.ts under the scenario's name. */
  | { readonly kind: 'run' }
  /** A test of another file, by its title. */
  | { readonly kind: 'elsewhere'; readonly file: string; readonly test: string }
  | { readonly kind: 'not applicable'; readonly reason: string };

export interface Scenario {
  /** File of PostgreSQL's suite, without its ending. */
  readonly source: string;
  readonly name: string;
  readonly shown: Shown;
}

export const streamed = (parts: Omit<Streamed, 'kind'>): Streamed => ({ kind: 'streamed', ...parts });

export const elsewhere = (file: string, test: string): Shown => ({ kind: 'elsewhere', file, test });

export const notApplicable = (reason: string): Shown => ({ kind: 'not applicable', reason });

export const RUN: Shown = { kind: 'run' };

/** Scenarios of one file of PostgreSQL's suite. */
export const from = (source: string, scenarios: Readonly<Record<string, Shown>>): readonly Scenario[] =>
  Object.entries(scenarios).map(([name, shown]) => ({ source, name, shown }));
