/** What the options of `run` promise, and what its reports, metrics and documents hold. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { shopTables } from '../../fixtures/shop/tables.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { digests } from '../harness/table-digest.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { parsePrometheusText } from './prometheus-text.ts';
import { expectRefusal } from './refusal.ts';
import { until } from './until.ts';

interface Report {
  readonly run: string;
  readonly outcome: string;
  readonly exit: number;
  readonly steps: readonly { readonly kind: string; readonly state: string; readonly subject: string }[];
  readonly totals: Readonly<Record<string, number>>;
  readonly findings: readonly { readonly code?: string; readonly subject: string }[];
}

const LINK = `shop:acme:${SOURCE_REGION}:${TARGET_REGION}`;

const initialised = async (): Promise<Pair> => {
  const pair = await makePair({ tenants: ['acme'], scale: 0.05 });
  expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
  return pair;
};

const runOf =
  (pair: () => Pair) =>
  (...more: readonly string[]) =>
    pair().xcrepl(['replication', 'run', '-o', 'json', ...more]);

const expectEqual = async (pair: Pair): Promise<void> =>
  expect(await digests(pair.target, shopTables)).toEqual(await digests(pair.source, shopTables));

describe('a link from its first copy on', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await initialised();
  });
  afterAll(() => pair[Symbol.asyncDispose]());
  const run = runOf(() => pair);

  test('--max-duration ends in good order, and the next run goes on', async () => {
    const cut = await run('--max-duration', '1ms');
    expect(cut.exitCode, cut.stderr).toBe(3);
    expect(cut.json()).toMatchObject({
      outcome: 'partly',
      exit: 3,
      next: expect.arrayContaining([]) as unknown[],
    });
    const rest = await run();
    expect(rest.exitCode, rest.stderr).toBe(0);
    await expectEqual(pair);
  });

  test('a second run says that there was nothing to do', async () => {
    const again = await run();
    expect(again.exitCode, again.stderr).toBe(0);
    const report = again.json() as Report;
    expect(report).toMatchObject({ outcome: 'done', totals: { copiedRows: 0, changes: 0 } });
    expect(report.steps.map(({ kind }) => kind)).toEqual(['stream-changes', 'verify']);
    expect((await pair.xcrepl(['replication', 'run'])).stdout).toContain('no change: copied 0 rows');
    expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).stdout).toContain('no change');
  });

  test('--max-lag is exit 6 while the newest change came later than allowed', async () => {
    await pair.source.query(`UPDATE shop.customers SET note = 'late'`);
    await sleep(1_500);
    const late = await run('--max-lag', '1s');
    expect(late.exitCode, late.stderr).toBe(6);
    await expectEqual(pair);
    await pair.source.query(`UPDATE shop.customers SET note = 'in time'`);
    const fine = await run('--max-lag', '1h');
    expect(fine.exitCode, fine.stderr).toBe(0);
    expect(fine.json()).toMatchObject({ lagMs: { samples: 1 } });
  });

  test('--follow serves health and metrics, and its numbers are those of the run', async () => {
    const following = pair.spawnXcrepl([
      'replication',
      'run',
      '--follow',
      '--metrics-addr',
      '127.0.0.1:0',
      '-v',
      '-o',
      'json',
    ]);
    let told = '';
    following.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
    const url = (): string => /http:\/\/127\.0\.0\.1:\d+/.exec(told)?.[0] ?? '';
    await until('ready', async () => url() !== '' && (await fetch(`${url()}/health/ready`)).status === 200);
    expect(await (await fetch(`${url()}/health`)).json()).toMatchObject({
      schemaVersion: 1,
      live: true,
      ready: true,
    });
    const updated = await pair.source.query(`UPDATE shop.customers SET note = 'followed' RETURNING id`);
    const metric = async (name: string, labels: object): Promise<number> => {
      const response = await fetch(`${url()}/metrics`);
      expect(response.headers.get('content-type')).toContain('text/plain');
      const family = parsePrometheusText(await response.text()).get(name);
      return (
        family?.samples.find((sample) => expect.objectContaining(labels).asymmetricMatch(sample.labels))
          ?.value ?? -1
      );
    };
    await until(
      'the update counted',
      async () => (await metric('xcrepl_replication_rows_total', { operation: 'update' })) === updated.length,
    );
    const edge = { tier: 'warm', from: SOURCE_REGION, to: TARGET_REGION };
    expect(
      await metric('xcrepl_replication_lag_seconds', {
        tier: 'warm',
        region: TARGET_REGION,
        source: SOURCE_REGION,
      }),
    ).toBeGreaterThanOrEqual(0);
    expect(await metric('xcrepl_replication_retained_wal_bytes', edge)).toBeGreaterThanOrEqual(0);
    expect((await fetch(`${url()}/other`)).status).toBe(404);
    following.kill('SIGINT');
    expect((await following).exitCode).toBe(130);
  });

  test('the metrics file parses, and has every name that dashboards rely on', async () => {
    await pair.source.query(`UPDATE shop.customers SET note = 'measured'`);
    const before = Date.now() / 1000;
    const done = await run('--metrics-textfile', 'xcrepl.prom');
    expect(done.exitCode, done.stderr).toBe(0);
    const families = parsePrometheusText(await readFile(join(pair.directory, 'xcrepl.prom'), 'utf8'));
    const edge = { tier: 'warm', from: SOURCE_REGION, to: TARGET_REGION };
    const wanted: Readonly<Record<string, readonly [type: string, labels: Record<string, string>]>> = {
      xcrepl_replication_lag_seconds: [
        'gauge',
        { tier: 'warm', region: TARGET_REGION, source: SOURCE_REGION },
      ],
      xcrepl_replication_plan_steps_total: ['counter', edge],
      xcrepl_replication_step_seconds: ['histogram', edge],
      xcrepl_replication_last_success_timestamp_seconds: ['gauge', edge],
      xcrepl_replication_rows_total: ['counter', edge],
      xcrepl_replication_bytes_total: ['counter', edge],
      xcrepl_replication_retained_wal_bytes: ['gauge', edge],
    };
    for (const [name, [type, labels]] of Object.entries(wanted)) {
      const family = families.get(name);
      expect(family?.type, name).toBe(type);
      expect(family!.samples[0]?.labels, name).toMatchObject(labels);
      expect(family!.help, name).not.toBe('');
    }
    expect(families.get('xcrepl_replication_step_failures_total')?.type).toBe('counter');
    expect(
      families.get('xcrepl_replication_last_success_timestamp_seconds')!.samples[0]!.value,
    ).toBeGreaterThanOrEqual(before);
  });

  test('a run that fails writes its metrics, too, and keeps the time of the last success', async () => {
    const success = async (): Promise<number> =>
      parsePrometheusText(await readFile(join(pair.directory, 'xcrepl.prom'), 'utf8')).get(
        'xcrepl_replication_last_success_timestamp_seconds',
      )!.samples[0]!.value;
    const before = await success();
    await pair.target.query(`ALTER TABLE shop.customers ADD CONSTRAINT refuses CHECK (note <> 'refused')`);
    await pair.source.query(`UPDATE shop.customers SET note = 'refused'`);
    const failed = await run('--metrics-textfile', 'xcrepl.prom');
    expect(failed.exitCode, failed.stderr).toBe(6);
    expect(failed.json()).toMatchObject({ outcome: 'failed', errors: [{ code: 'XC-5204' }] });
    const families = parsePrometheusText(await readFile(join(pair.directory, 'xcrepl.prom'), 'utf8'));
    expect(families.get('xcrepl_replication_step_failures_total')?.samples).toEqual([
      expect.objectContaining({ value: 1, labels: expect.objectContaining({ reason: 'XC-5204' }) as object }),
    ]);
    // The last success was earlier, if only by what came after the stream's own end.
    expect(await success()).toBeLessThanOrEqual(before);
    expect(await success()).toBeGreaterThan(before - 60);
    await pair.target.query('ALTER TABLE shop.customers DROP CONSTRAINT refuses');
    expect((await run()).exitCode).toBe(0);
    await expectEqual(pair);
  });

  test('rows that differ are named by their keys, to programs and to people', async () => {
    const keep = pair.config;
    await pair.configure((config) => ({
      ...config,
      rules: (config.rules ?? []).map((rule) => ({ ...rule, verify: 'full' as const })),
    }));
    await pair.target.query(`
      UPDATE shop.customers SET note = 'by hand' WHERE id = 1; DELETE FROM shop.reviews WHERE id = 2;
      INSERT INTO shop.coupons VALUES ('acme', 999, 'a "code"', 1)`);
    const found = await run();
    expect(found.exitCode, found.stderr).toBe(6);
    const report = found.json() as Report;
    const keys = (
      report as unknown as { findings: { keys?: { kind: string; key: object }[] }[] }
    ).findings.flatMap((finding) => finding.keys ?? []);
    expect(keys.map(({ kind, key }) => ({ kind, key }))).toEqual(
      expect.arrayContaining([
        { kind: 'changed', key: { tenant_id: 'acme', id: '1' } },
        { kind: 'missing', key: { tenant_id: 'acme', id: '2' } },
        { kind: 'extra', key: { tenant_id: 'acme', id: '999' } },
      ]),
    );
    expect(keys).toHaveLength(3);
    const markdown = await readFile(join(pair.directory, 'reports', report.run, 'report.md'), 'utf8');
    for (const text of [
      'changed tenant_id=acme id=1',
      'missing tenant_id=acme id=2',
      'extra tenant_id=acme id=999',
    ])
      expect(markdown).toContain(text);
    expect((await pair.xcrepl(['replication', 'run'])).stdout).toContain('changed tenant_id=acme id=1');
    // What the finding says to do.
    await pair.xcrepl(['replication', 'drop', '--link', LINK, '--confirm', TARGET_REGION]);
    expect((await run('--existing', 'replace', '--confirm', TARGET_REGION)).exitCode).toBe(0);
    await expectEqual(pair);
    await pair.configure(() => keep);
  });

  test('reports have everything in JSON and in Markdown', async () => {
    await pair.source.query(`UPDATE shop.customers SET note = 'reported'`);
    const done = await run('--report-dir', 'elsewhere');
    const report = done.json() as Report;
    const at = (name: string) => readFile(join(pair.directory, 'elsewhere', report.run, name), 'utf8');
    expect(JSON.parse(await at('report.json'))).toEqual(report);
    expect(report).toMatchObject({
      schemaVersion: 1,
      run: expect.stringMatching(/^rn_/) as string,
      plan: expect.stringMatching(/^pl_/) as string,
      version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
      commit: expect.stringMatching(/^([0-9a-f]{7,40}|unknown)$/) as string,
      mode: 'live',
      missing: [],
      startedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      endedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      lagMs: { p50: expect.any(Number) as number, p99: expect.any(Number) as number, samples: 1 },
      next: ['xcrepl replication status', 'xcrepl replication run --follow'],
    });
    expect(
      report.steps.every((step) => step.state === 'done' && 'durationMs' in step && 'startedAt' in step),
    ).toBe(true);
    const { policy } = done.json() as { policy: { gate: string; verdict: string; reason: string }[] };
    expect(policy.map(({ gate, verdict }) => `${gate} ${verdict}`)).toEqual([
      'P1 PASS',
      'P2 PASS',
      'P3 PASS',
      'P4 PASS',
      'P5 PASS',
      'P6 PASS',
      'P7 PASS',
      'residency PASS',
    ]);
    expect(report.findings.length).toBeGreaterThan(0);
    const markdown = await at('report.md');
    for (const part of [
      `# Run ${report.run}: done`,
      'live',
      '## Steps',
      '## Policy',
      '## Findings',
      '## Next',
      'p50',
      'p99',
      (report as unknown as { commit: string }).commit,
      ...policy.flatMap(({ gate, verdict, reason }) => [`| ${gate} | `, `| ${verdict} | ${reason} |`]),
      '`xcrepl replication status`',
    ])
      expect(markdown).toContain(part);
    for (const step of report.steps)
      expect(markdown).toContain(`| ${step.kind} | ${step.subject} | ${step.state} |`);
  });

  test('every command gives a document with its schema version, in each form', async () => {
    const commands: readonly (readonly string[])[] = [
      ['replication', 'status'],
      ['precheck', '--dry-run'],
      ['config', 'show'],
      ['replication', 'simulate', '--out', 'plan.json'],
      ['replication', 'run'],
      ['init', '--region', TARGET_REGION],
      ['config', 'validate'],
      ['uninstall', '--region', TARGET_REGION, '--dry-run'],
      ['replication', 'stop', '--link', `shop:acme:${SOURCE_REGION}:${TARGET_REGION}`, '--dry-run'],
      ['commands'],
      ['explain', 'XC-5001'],
    ];
    for (const [at, args] of commands.entries()) {
      const forms = at < 3 ? ['json', 'yaml', 'ndjson'] : ['json'];
      for (const form of forms) {
        const { stdout, stderr, exitCode } = await pair.xcrepl([...args, '-o', form]);
        expect(exitCode, `${args.join(' ')}: ${stderr}`).toBe(0);
        for (const document of documentsOf(form, stdout))
          expect(document, `${args.join(' ')} -o ${form}`).toMatchObject({ schemaVersion: 1 });
      }
    }
  });
});

const documentsOf = (form: string, text: string): readonly unknown[] => {
  if (form === 'json') return [JSON.parse(text)];
  if (form === 'yaml') return [parse(text)];
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
};

describe('a window of time', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await initialised();
  });
  afterAll(() => pair[Symbol.asyncDispose]());
  const run = runOf(() => pair);
  const WINDOW = ['2026-02-01T00:00:00Z', '2026-06-01T00:00:00Z'] as const;
  const TABLES = ['--tables', 'shop.orders,shop.events,shop.customers'] as const;

  test('copies the rows of that time of tables that have one, names the others, and under --strict refuses', async () => {
    const window = WINDOW.join('/');
    expectRefusal(await run('--window', window, '--strict'), {
      code: 'XC-2015',
      exit: 7,
      says: ['shop.customers', 'time column'],
    });
    const copied = await run('--window', window);
    expect(copied.exitCode, copied.stderr).toBe(0);
    expect((copied.json() as Report).findings).toContainEqual(
      expect.objectContaining({ code: 'XC-1302', subject: 'shop.customers' }),
    );
    for (const [table, column] of [
      ['shop.orders', 'placed_at'],
      ['shop.events', 'occurred_at'],
    ] as const) {
      const inside = `${column} >= '${WINDOW[0]}' AND ${column} < '${WINDOW[1]}'`;
      const [wanted] = await pair.source.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM ${table} WHERE ${inside}`,
      );
      expect(wanted!.n).toBeGreaterThan(0);
      expect(await pair.target.query(`SELECT count(*)::int AS n FROM ${table} WHERE ${inside}`)).toEqual([
        wanted,
      ]);
      expect(await pair.target.query(`SELECT FROM ${table} WHERE NOT (${inside})`)).toEqual([]);
    }
    expect((await digests(pair.target, ['shop.customers']))['shop.customers']).toEqual(
      (await digests(pair.source, ['shop.customers']))['shop.customers'],
    );
  });

  test('changes are streamed whatever their time', async () => {
    await pair.source.query(
      `INSERT INTO shop.orders (tenant_id, customer_id, placed_at) SELECT tenant_id, id, '2020-01-01' FROM shop.customers LIMIT 3`,
    );
    const streamed = await run('--window', WINDOW.join('/'));
    expect(streamed.exitCode, streamed.stderr).toBe(0);
    expect(await pair.target.query(`SELECT FROM shop.orders WHERE placed_at = '2020-01-01'`)).toHaveLength(3);
  });

  test('an open side, and a window that is none', async () => {
    for (const window of [`${WINDOW[0]}/`, `/${WINDOW[1]}`]) {
      const planned = await pair.xcrepl([
        'replication',
        'simulate',
        '--window',
        window,
        ...TABLES,
        '--out',
        'w.json',
        '-o',
        'json',
      ]);
      expect(planned.exitCode, planned.stderr).toBe(0);
    }
    expectRefusal(await run('--window', '/'), { code: 'XC-1301', exit: 2 });
  });
});
