/** What a seeded suite is: the same code for a few seeds in CI and for as many as one likes by hand. */

export interface Suite {
  readonly name: string;
  /** What it shows, in a few words. */
  readonly about: string;
  /**
   * One seed, from servers to comparison. Resolves with what was hit, in a line.
   * @throws whatever was lost, doubled, stale or left behind
   */
  readonly run: (seed: number) => Promise<string>;
}

/** What was thrown while things were put away hides what was thrown before: both are told. */
const told = (error: unknown): string => {
  if (error instanceof SuppressedError)
    return `${told(error.suppressed)}\nand while it was put away: ${told(error.error)}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
};

export const replayOf = (suite: string, seed: number): string =>
  `npm run test:seeds -- --only ${suite} --seed ${seed}`;

/** Runs one seed; what it throws says how to run that seed again. */
export const runSeed = async ({ name, run }: Suite, seed: number): Promise<string> => {
  try {
    return await run(seed);
  } catch (error) {
    throw new Error(`${name}, seed ${seed}; replay: ${replayOf(name, seed)}\n${told(error)}`, {
      cause: error,
    });
  }
};
