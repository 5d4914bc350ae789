/** A strict reader of Prometheus' text format 0.0.4 (prometheus.io: Exposition formats), to check what is exported. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

/** Families by name. @throws Error naming the line that is not of the format */
export const parsePrometheusText = (text: string): Map<string, Family> => {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, { type: string; help: string; samples: Sample[] }>();
  for (const [at, line] of text.slice(0, -1).split('\n').entries()) {
    const bad = (why: string): Error => new Error(`line ${at + 1}: ${why}: ${line}`);
    if (line === '') continue;
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment) {
      const [, kind, name = '', rest = ''] = comment;
      const family = families.get(name) ?? { type: '', help: '', samples: [] };
      families.set(name, family);
      if (kind === 'HELP') family.help = rest;
      else if (family.samples.length > 0) throw bad('TYPE after samples');
      else family.type = rest;
      continue;
    }
    const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
    if (name === '') throw bad('no sample');
    const family = [...families].find(([family, { type }]) =>
      (SUFFIXES[type] ?? ['']).some((suffix) => name === `${family}${suffix}`),
    )?.[1];
    if (!family) throw bad('no TYPE before it');
    const number = value === '+Inf' ? Infinity : value === '-Inf' ? -Infinity : Number(value);
    if (Number.isNaN(number) && value !== 'NaN') throw bad('no number');
    family.samples.push({ name, labels: parseLabels(labels, bad), value: number });
  }
  for (const [name, family] of families)
    if (family.type === 'histogram') checkHistogram(name, family.samples);
  return families;
};

const parseLabels = (text: string, bad: (why: string) => Error): Record<string, string> => {
  const labels: Record<string, string> = {};
  for (LABEL.lastIndex = 0; LABEL.lastIndex < text.length;) {
    const found = LABEL.exec(text);
    if (!found) throw bad('malformed labels');
    labels[found[1]!] = found[2]!.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
  }
  return labels;
};

/** Buckets only grow, and the last one is the count. */
const checkHistogram = (name: string, samples: readonly Sample[]): void => {
  const series = Map.groupBy(samples, ({ labels }) => {
    const { le: _, ...rest } = labels;
    return JSON.stringify(rest);
  });
  for (const [labels, those] of series) {
    const buckets = those.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map((sample) =>
      sample.labels['le'] === '+Inf' ? Infinity : Number(sample.labels['le']),
    );
    const count = those.find((sample) => sample.name === `${name}_count`)?.value;
    const grows = buckets.every((sample, at) => at === 0 || sample.value >= buckets[at - 1]!.value);
    const ordered = bounds.every((bound, at) => at === 0 || bound > bounds[at - 1]!);
    if (!grows || !ordered || bounds.at(-1) !== Infinity || buckets.at(-1)?.value !== count)
      throw new Error(`histogram ${name}${labels} is malformed`);
  }
};
