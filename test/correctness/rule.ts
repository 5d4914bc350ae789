/** A rule of replication, and what shows that it holds. */

export interface Rule {
  /** 1 to 20: how rows are carried; 35 to 37: how they are compared. */
  readonly number: number;
  readonly says: string;
  /** Titles of tests or names of cases, by file. */
  readonly shown: Readonly<Record<string, readonly string[]>>;
}

export const rule = (number: number, says: string, shown: Rule['shown']): Rule => ({ number, says, shown });
