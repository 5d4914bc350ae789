/**
 * A kind of change, as data: what both sides begin with, and the transactions of the source. Each case has a schema of
 * its own, which its statements call `app`, so that all of them share one pair of databases and one stream.
 */

export interface Case {
  readonly name: string;
  /** On both sides. */
  readonly schema: string;
  /** Made once more on the target, so that its types have other OIDs there. */
  readonly remade?: boolean;
  /** On the target only, after that. */
  readonly onTarget?: string;
  /** Compared in all columns of the source. */
  readonly tables: readonly string[];
  /** Rows of these values of a column "tenant" are carried; absent carries the whole schema. */
  readonly tenants?: readonly string[];
  /** Patterns of the rule; absent names all tables of the case's schema. Needs `tenants`. */
  readonly patterns?: readonly string[];
  /** Rows that the source begins with. */
  readonly before?: string;
  /** In their order; "name: statement" goes to a session of that name, whose transaction may stay open. */
  readonly changes: readonly string[];
  /**
   * How its changes are applied when they come together: as a set, in the order of the source, or so after a constraint
   * refused the set.
   */
  readonly way: 'set' | 'ordered' | 'falls back';
}

/** Some 12 kB that do not compress: kept out of line, and not sent with an update that leaves it. */
export const big = (seed: string): string =>
  `(SELECT string_agg(md5('${seed}' || g), '') FROM generate_series(1, 400) AS g)`;
