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

/** One measurement: the value, and CPU seconds by process where they were taken. */
export interface Sample {
  readonly value: number;
  readonly cpu?: Readonly<Record<string, number>>;
}

export interface Measured extends Row {
  /** Medians of the two, in `unit`. */
  readonly ours: number;
  readonly theirs: number;
  readonly unit: string;
  /** Medians of CPU microseconds a row, by process. */
  readonly oursCpu: Readonly<Record<string, number>>;
  readonly theirsCpu: Readonly<Record<string, number>>;
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

/**
 * How a pair's ratio is made: `rate` for measures where more is better (ours/theirs), `time` for durations whose ratio is
 * ours/theirs as time, `speed` for durations whose ratio is theirs/ours: how many times faster we are.
 */
export type RatioKind = 'rate' | 'time' | 'speed';

export interface Comparison {
  readonly path: string;
  readonly against: string;
  readonly unit: string;
  readonly ratio: RatioKind;
  readonly pairs: number;
  /** Rows of one measurement, for costs a row. */
  readonly rows?: number;
  /** Before and after each pair, unmeasured. */
  readonly before?: (round: number) => Promise<void>;
  readonly after?: (round: number) => Promise<void>;
  readonly ours: (round: number) => Promise<Sample>;
  readonly theirs: (round: number) => Promise<Sample>;
}

export const comparePairs = async (what: Comparison): Promise<Measured> => {
  const measured: { ours: Sample; theirs: Sample }[] = [];
  for (let round = 0; round < what.pairs; round++) {
    await what.before?.(round);
    // The order alternates, so that neither always finds the caches warm.
    if (round % 2 === 0) {
      const ours = await what.ours(round);
      measured.push({ ours, theirs: await what.theirs(round) });
    } else {
      const theirs = await what.theirs(round);
      measured.push({ ours: await what.ours(round), theirs });
    }
    await what.after?.(round);
  }
  return summary(what, measured);
};

/** The medians of pairs that were measured. */
export const summary = (
  what: Pick<Comparison, 'path' | 'against' | 'unit' | 'ratio' | 'rows'>,
  measured: readonly { readonly ours: Sample; readonly theirs: Sample }[],
): Measured => {
  const ratios = measured.map(({ ours, theirs }) =>
    what.ratio === 'speed' ? theirs.value / ours.value : ours.value / theirs.value,
  );
  const samples = { ours: measured.map(({ ours }) => ours), theirs: measured.map(({ theirs }) => theirs) };
  return {
    path: what.path,
    against: what.against,
    ratioMedian: median(ratios),
    ratioMin: Math.min(...ratios),
    ratioMax: Math.max(...ratios),
    pairs: measured.length,
    ours: median(samples.ours.map(({ value }) => value)),
    theirs: median(samples.theirs.map(({ value }) => value)),
    unit: what.unit,
    oursCpu: cpuARow(samples.ours, what.rows ?? 1),
    theirsCpu: cpuARow(samples.theirs, what.rows ?? 1),
  };
};

const cpuARow = (samples: readonly Sample[], rows: number): Record<string, number> =>
  Object.fromEntries(
    Object.keys(samples[0]?.cpu ?? {}).map((name) => [
      name,
      (median(samples.map(({ cpu }) => cpu?.[name] ?? 0)) / rows) * 1e6,
    ]),
  );

const COLUMNS = [
  'path',
  'against',
  'ratio',
  'min',
  'max',
  'pairs',
  'ours',
  'theirs',
  'unit',
  'CPU µs a row',
] as const;

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
    costs(row),
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

const costs = ({ oursCpu, theirsCpu }: Measured): string =>
  [oursCpu, theirsCpu]
    .map((cpu) =>
      Object.entries(cpu)
        .map(([name, micros]) => `${name} ${micros.toFixed(1)}`)
        .join(', '),
    )
    .filter((side) => side !== '')
    .join(' | ');
