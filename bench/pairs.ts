/**
 * Measures two ways of doing the same thing side by side, A B A B …, and reports their ratio pair by pair: machines are
 * shared and noisy, and a ratio within a pair holds when the machine's speed drifts.
 */

import { writeFile } from 'node:fs/promises';

export interface Row {
  readonly path: string;
  readonly against: string;
  readonly ratioMedian: number;
  readonly ratioMin: number;
  readonly ratioMax: number;
  readonly pairs: number;
}

export interface Measured extends Row {
  /** Medians of the two, in `unit`. */
  readonly ours: number;
  readonly theirs: number;
  readonly unit: string;
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

/**
 * @param ratio how a pair's ratio is made: `rate` for measures where more is better (ours/theirs), `time` for durations
 *   whose ratio is ours/theirs as time, `speed` for durations whose ratio is theirs/ours: how many times faster we are
 */
export const comparePairs = async (
  what: {
    readonly path: string;
    readonly against: string;
    readonly unit: string;
    readonly ratio: 'rate' | 'time' | 'speed';
  },
  pairs: number,
  ours: (round: number) => Promise<number>,
  theirs: (round: number) => Promise<number>,
): Promise<Measured> => {
  const measured: { ours: number; theirs: number }[] = [];
  for (let round = 0; round < pairs; round++) {
    // The order alternates, so that neither always finds the caches warm.
    if (round % 2 === 0) {
      const a = await ours(round);
      measured.push({ ours: a, theirs: await theirs(round) });
    } else {
      const b = await theirs(round);
      measured.push({ ours: await ours(round), theirs: b });
    }
  }
  const ratios = measured.map((pair) =>
    what.ratio === 'speed' ? pair.theirs / pair.ours : pair.ours / pair.theirs,
  );
  return {
    path: what.path,
    against: what.against,
    ratioMedian: median(ratios),
    ratioMin: Math.min(...ratios),
    ratioMax: Math.max(...ratios),
    pairs,
    ours: median(measured.map((pair) => pair.ours)),
    theirs: median(measured.map((pair) => pair.theirs)),
    unit: what.unit,
  };
};

const COLUMNS = ['path', 'against', 'ratio', 'min', 'max', 'pairs', 'ours', 'theirs', 'unit'] as const;

/** A table on stdout and, where asked for, the JSON that other programs read. */
export const report = async (rows: readonly Measured[], jsonFile: string | undefined): Promise<void> => {
  const cells = rows.map((row) => [
    row.path,
    row.against,
    ...[row.ratioMedian, row.ratioMin, row.ratioMax].map((ratio) => `${ratio.toFixed(2)}×`),
    String(row.pairs),
    row.ours.toPrecision(4),
    row.theirs.toPrecision(4),
    row.unit,
  ]);
  const widths = COLUMNS.map((name, column) =>
    Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  process.stdout.write(`${[line(COLUMNS), ...cells.map(line)].join('\n')}\n`);
  if (jsonFile === undefined) return;
  const json = rows.map(({ path, against, ratioMedian, ratioMin, ratioMax, pairs }): Row => ({
    path,
    against,
    ratioMedian,
    ratioMin,
    ratioMax,
    pairs,
  }));
  await writeFile(jsonFile, `${JSON.stringify({ schemaVersion: 1, rows: json }, null, 2)}\n`);
};
