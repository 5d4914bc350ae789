import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makePair, type Pair } from '../../test/harness/pair.ts';
import type { RunOptions } from '../../test/harness/xcrepl-process.ts';
import type { ConfigInput } from '../core/config/schema.ts';
import type { PrecheckReport } from '../core/report/precheck.ts';
import type { Finding } from '../core/validation/finding.ts';

const KEYED = `
  CREATE SCHEMA app;
  CREATE TABLE app.orders (tenant_id text NOT NULL, id bigint NOT NULL, note text, PRIMARY KEY (tenant_id, id));
  INSERT INTO app.orders SELECT 'acme', g, 'n' FROM generate_series(1, 100) g;
  ANALYZE app.orders;
`;

const scoped =
  (more: Partial<ConfigInput> = {}) =>
  (config: ConfigInput): ConfigInput => ({
    ...config,
    tenants: { acme: { scope: { kind: 'column', column: 'tenant_id', value: 'acme' } } },
    rules: [
      { id: 'app', tenants: ['acme'], tables: ['app.*'], from: regions(config)[0], to: [regions(config)[1]] },
    ],
    ...more,
  });

const regions = (config: ConfigInput): [source: string, target: string] => {
  const [source, target] = Object.keys(config.regions);
  if (source === undefined || target === undefined) throw new Error('a pair has two regions');
  return [source, target];
};

const check = async (pair: Pair, args: readonly string[] = [], options: RunOptions = {}) => {
  const run = await pair.xcrepl(['precheck', '-o', 'json', ...args], options);
  const report = run.stdout === '' ? null : (run.json() as PrecheckReport);
  return { ...run, report };
};

/** Rows that did not pass, without those that every server of a lab has, or may have from another test. */
const USUAL = new Set(['slot-wal-limit', 'wal-disk', 'cosign-key', 'vault', 'initialised', 'leftovers']);
const open = (report: PrecheckReport | null): string[] =>
  (report?.checks ?? [])
    .filter((row) => row.verdict !== 'pass' && !USUAL.has(row.check))
    .map((row) => `${row.check} ${row.severity} ${row.code ?? ''}`);

const rowsOf = (report: PrecheckReport | null, name: string): Finding[] =>
  (report?.checks ?? []).filter((row) => row.check === name);

/** Everything that a check could have changed on a server. */
const fingerprint = (pair: Pair) =>
  Promise.all(
    [pair.source, pair.target].map((side) =>
      side.query(`
        SELECT (SELECT json_agg(s ORDER BY s.slot_name) FROM (SELECT slot_name, plugin, database FROM pg_replication_slots WHERE database = current_database()) s) AS slots,
               (SELECT json_agg(pubname ORDER BY 1) FROM pg_publication) AS publications,
               (SELECT json_agg(r ORDER BY r.rolname) FROM (SELECT rolname, rolsuper, rolreplication FROM pg_roles WHERE rolname !~ '^poor_') r) AS roles,
               (SELECT json_agg(s ORDER BY s.name) FROM (SELECT name, setting FROM pg_file_settings) s) AS settings,
               (SELECT json_agg(c ORDER BY c.oid) FROM (SELECT oid, relname, relfilenode, relreplident FROM pg_class WHERE oid >= 16384) c) AS relations,
               (SELECT json_agg(n.nspname ORDER BY 1) FROM pg_namespace n WHERE nspname !~ '^pg_(toast_)?temp') AS schemas,
               (SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables) AS writes`),
    ),
  );

test('proceeds where all is well, writes its reports and nothing to a database', async () => {
  await using pair = await makePair({ fixture: 'empty', sql: KEYED, config: scoped() });
  const before = await fingerprint(pair);
  const { exitCode, report, stderr } = await check(pair);
  expect(open(report), stderr).toEqual([]);
  expect([exitCode, report?.decision, report?.mode]).toEqual([0, 'PROCEED', 'live']);
  expect(await fingerprint(pair)).toEqual(before);

  const files = await readdir(join(pair.directory, 'reports'));
  expect(files.toSorted()).toEqual(['precheck.json', 'precheck.md']);
  expect(JSON.parse(await readFile(join(pair.directory, 'reports/precheck.json'), 'utf8'))).toEqual(report);
  expect(await readFile(join(pair.directory, 'reports/precheck.md'), 'utf8')).toContain(
    '# Precheck: PROCEED',
  );

  const names = new Set(report?.checks.map((row) => row.check));
  for (const name of [
    'registry',
    'postgres-reachable',
    'version',
    'tls',
    'wal-level',
    'replication-slots',
    'wal-senders',
    'replication-origins',
    'slot-wal-limit',
    'wal-disk',
    'privileges',
    'clock-skew',
    'slot-health',
    'leftovers',
    'replica-identity',
    'row-filter-identity',
    'columns',
    'extensions',
    'generated-columns',
    'triggers',
    'foreign-keys',
    'persistence',
    'partitions',
    'table-size',
    'vault',
    'cosign-key',
    'state-directory',
    'hash-key',
    'synchronized-standbys',
  ])
    expect(names, name).toContain(name);
  expect(rowsOf(report, 'table-size')[0]?.seen).toContain('about 100 rows');
  expect(report?.checks.every((row) => row.verdict === 'pass' || row.seen !== '')).toBe(true);
});

test('a dry run writes nothing at all', async () => {
  await using pair = await makePair({ fixture: 'empty', sql: KEYED, config: scoped() });
  const before = await readdir(pair.directory);
  expect((await check(pair, ['--dry-run'])).exitCode).toBe(0);
  expect(await readdir(pair.directory)).toEqual(before);
});

test('passes the shop, whose tables replicate', async () => {
  await using pair = await makePair();
  const { exitCode, report } = await check(pair);
  expect(report?.checks.filter((row) => row.severity === 'block' && row.verdict !== 'pass')).toEqual([]);
  expect([exitCode, report?.decision]).toEqual([0, 'PROCEED']);
});

test('blocks before the application could be hurt, and the remedies put it right', async () => {
  await using pair = await makePair({
    fixture: 'empty',
    sql: `CREATE SCHEMA app;
          CREATE TABLE app.orders (id bigint PRIMARY KEY, tenant_id text, note text);
          CREATE TABLE app.rates (currency text PRIMARY KEY, rate numeric);`,
    config: scoped(),
  });
  await pair.target.query(
    'ALTER TABLE app.orders DROP COLUMN note, ALTER COLUMN tenant_id TYPE varchar(3); DROP TABLE app.rates',
  );
  const first = await check(pair, ['--report-dir', 'out']);
  expect([first.exitCode, first.report?.decision]).toEqual([7, 'BLOCK']);
  expect(open(first.report).toSorted()).toEqual([
    'columns block XC-5314',
    'columns block XC-5315',
    'row-filter-identity block XC-5310',
    'target-table block XC-5313',
    'tenant-column block XC-5312',
    'tenant-column info XC-5312',
  ]);
  const text = await readFile(join(pair.directory, 'out/precheck_block.txt'), 'utf8');
  for (const code of ['XC-5310', 'XC-5312', 'XC-5313', 'XC-5314', 'XC-5315']) expect(text).toContain(code);

  for (const row of first.report?.checks ?? [])
    if (row.severity === 'block' && /^(CREATE|ALTER)/.test(row.remedy ?? ''))
      for (const statement of (row.remedy ?? '').split(/(?<=;) /))
        await (row.check === 'row-filter-identity' ? pair.source : pair.target).query(statement);
  await pair.target.query('CREATE UNIQUE INDEX ON app.orders (tenant_id, id)');
  await pair.configure((config) => ({
    ...config,
    rules: config.rules?.map((rule) => ({ ...rule, tables: ['app.*', '!app.rates'] })) ?? [],
  }));

  const second = await check(pair, ['--report-dir', 'out']);
  expect(open(second.report)).toEqual([]);
  expect(second.exitCode).toBe(0);
  expect((await readdir(join(pair.directory, 'out'))).toSorted()).toEqual(['precheck.json', 'precheck.md']);
});

test('names left-over slots and publications, and not its own', async () => {
  await using pair = await makePair({ fixture: 'empty', sql: KEYED, config: scoped(), private: true });
  await pair.source.query("SELECT pg_create_logical_replication_slot('xcrepl_s_0123456789', 'pgoutput')");
  await pair.source.query('CREATE PUBLICATION xcrepl_s_0123456789');
  const { report, exitCode } = await check(pair);
  expect(
    rowsOf(report, 'leftovers')
      .map((row) => [row.verdict, row.subject, row.remedy])
      .filter(([verdict]) => verdict !== 'pass'),
  ).toEqual([
    ['fail', 'publication xcrepl_s_0123456789', 'DROP PUBLICATION "xcrepl_s_0123456789";'],
    ['fail', 'slot xcrepl_s_0123456789', "SELECT pg_drop_replication_slot('xcrepl_s_0123456789');"],
  ]);
  expect(exitCode).toBe(0);
});

test('names what a less privileged role lacks', async () => {
  await using pair = await makePair({ fixture: 'empty', sql: KEYED, config: scoped() });
  const role = `poor_${process.pid}`;
  const sides = ['source', 'target'] as const;
  for (const side of sides) {
    await pair[side].query(`CREATE ROLE ${role} LOGIN PASSWORD 'hunter2'`);
    const url = new URL(pair[side].dsn);
    url.username = role;
    url.password = 'hunter2';
    await pair.useDsn(side, url.href);
  }
  try {
    const { exitCode, report, stdout, stderr } = await check(pair);
    expect(exitCode, stderr).toBe(7);
    expect(stdout + stderr).not.toContain('hunter2');
    const lacking = rowsOf(report, 'privileges').filter((row) => row.verdict === 'fail');
    expect(lacking.map((row) => row.subject).toSorted()).toEqual(
      [
        `${role}: CREATE on database`,
        `${role}: CREATE on database`,
        `${role}: REPLICATION`,
        `${role}: replication origin functions`,
        `${role}: session_replication_role`,
      ].toSorted(),
    );
    expect(rowsOf(report, 'table-privileges').map((row) => [row.region, row.verdict, row.code])).toEqual(
      regions(pair.config)
        .toSorted()
        .map((region) => [region, 'fail', 'XC-4002']),
    );
    for (const row of [...lacking, ...rowsOf(report, 'table-privileges')]) {
      const side = row.region === regions(pair.config)[0] ? pair.source : pair.target;
      for (const statement of (row.remedy ?? '').split(/(?<=;) /)) await side.query(statement);
    }
    const granted = await check(pair);
    expect(open(granted.report)).toEqual([]);
    expect(granted.exitCode).toBe(0);
  } finally {
    for (const side of sides) {
      await pair[side].query(`DROP OWNED BY ${role}`);
      await pair[side].query(`DROP ROLE ${role}`);
    }
  }
});

const silent = async (): Promise<AsyncDisposable & { port: number }> => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

describe('what cannot be reached', () => {
  test('a primary, a registry, a Vault and a store that accept and never answer are rows, and the rest is looked at', async () => {
    await using nobody = await silent();
    const url = `http://127.0.0.1:${nobody.port}`;
    await using pair = await makePair({
      fixture: 'empty',
      sql: KEYED,
      config: (config) => {
        const made = scoped({ registry: { url }, vault: { address: url } })(config);
        const [source, target] = regions(made);
        const settings = made.regions[source];
        return settings
          ? {
              ...made,
              regions: {
                [source]: { ...settings, objects: { kind: 's3', endpoint: url, bucket: 'b' } },
                [target]: made.regions[target] ?? settings,
              },
            }
          : made;
      },
    });
    await pair.useDsn('source', `postgres://app:hunter2@127.0.0.1:${nobody.port}/d`);
    // The frame would end the command with exit 10 at its --timeout: exit 7 and a report show that it ended before that.
    const { exitCode, report, stdout, stderr } = await check(pair, ['--timeout', '4s']);
    expect(exitCode, stderr).toBe(7);
    expect(stdout + stderr).not.toContain('hunter2');
    const [source, target] = regions(pair.config);
    expect(
      rowsOf(report, 'postgres-reachable').map((row) => [row.region, row.verdict, row.severity, row.code]),
    ).toEqual([
      [source, 'unknown', 'block', 'XC-6001'],
      [target, 'pass', 'info', undefined],
    ]);
    for (const name of ['registry', 'vault', 'object-store'])
      expect(rowsOf(report, name)[0]).toMatchObject({
        verdict: 'fail',
        seen: 'no answer within the time allowed',
      });
    expect(rowsOf(report, 'tables-in-scope')[0]?.verdict).toBe('unknown');
  });

  test('a server that stops answering in the middle is a row too', async () => {
    const { startTcpProxy } = await import('../../test/harness/tcp-proxy.ts');
    await using pair = await makePair({ fixture: 'empty', sql: KEYED, config: scoped() });
    await using blocker = await pair.source.connect();
    await blocker.query('BEGIN; LOCK TABLE app.orders IN ACCESS EXCLUSIVE MODE');
    await using proxy = await startTcpProxy({ port: pair.source.port });
    await pair.useDsn('source', proxy.dsn(pair.source.dsn));
    const locked = await check(pair, ['--timeout', '6s']);
    expect(locked.exitCode).toBe(7);
    expect(rowsOf(locked.report, 'postgres-reachable')[0]).toMatchObject({
      severity: 'block',
      code: 'XC-6012',
    });

    const running = check(pair, ['--timeout', '6s']);
    while (proxy.bytesToClients === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    proxy.pause();
    const silenced = await running;
    expect(silenced.exitCode).toBe(7);
    expect(silenced.report?.decision).toBe('BLOCK');
  });

  test('a wrong password, a missing database, a malformed DSN and a missing secret each have their code', async () => {
    await using pair = await makePair({ fixture: 'empty', sql: KEYED, config: scoped() });
    const changed = (change: (url: URL) => void): string => {
      const url = new URL(pair.source.dsn);
      change(url);
      return url.href;
    };
    const reached = async (dsn: string) => {
      await pair.useDsn('source', dsn);
      const { exitCode, report, stdout, stderr } = await check(pair);
      expect(stdout + stderr).not.toContain('hunter2');
      return [
        exitCode,
        ...rowsOf(report, 'postgres-reachable')
          .filter((row) => row.verdict !== 'pass')
          .map((row) => row.code),
      ];
    };
    expect(await reached(changed((url) => (url.password = 'hunter2')))).toEqual([7, 'XC-4001']);
    expect(await reached(changed((url) => (url.pathname = '/nowhere')))).toEqual([7, 'XC-1011']);
    expect(await reached('postgres//app:hunter2@h')).toEqual([7, 'XC-1010']);
    await pair.configure((config) => {
      const [source] = regions(config);
      const settings = config.regions[source];
      return {
        ...config,
        regions: {
          ...config.regions,
          ...(settings ? { [source]: { ...settings, postgres: { dsn: 'env:NOT_SET' } } } : {}),
        },
      };
    });
    const missing = await check(pair);
    expect(missing.exitCode).toBe(7);
    expect(rowsOf(missing.report, 'postgres-reachable')[0]).toMatchObject({
      code: 'XC-1005',
      severity: 'block',
    });
  });
});

describe('the decision', () => {
  test('a configured registry that is down blocks even a simulation; one that is up does not', async () => {
    let status = 503;
    const server = createHttpServer((_request, response) => response.writeHead(status).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      await using pair = await makePair({ fixture: 'empty', sql: KEYED, config: scoped() });
      const env = {
        GLOBAL_REGISTRY_URL: `http://u:hunter2@127.0.0.1:${(server.address() as AddressInfo).port}/health?k=hunter2`,
        SIMULATION_MODE: 'true',
      };
      const down = await check(pair, [], { env });
      expect([down.exitCode, down.report?.decision, rowsOf(down.report, 'registry')[0]?.seen]).toEqual([
        7,
        'BLOCK',
        'HTTP 503',
      ]);
      expect(down.stdout + down.stderr).not.toContain('hunter2');
      status = 200;
      const up = await check(pair, [], { env });
      expect([up.exitCode, up.report?.decision]).toEqual([0, 'PROCEED_SIMULATION']);
      const live = await check(pair, [], { env: { GLOBAL_REGISTRY_URL: env.GLOBAL_REGISTRY_URL } });
      expect([live.exitCode, live.report?.decision]).toEqual([0, 'PROCEED']);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test('live mode without a word about a registry blocks', async () => {
    await using pair = await makePair({ fixture: 'empty', sql: KEYED, config: scoped() });
    await pair.configure(({ registry: _registry, ...config }) => config);
    const { exitCode, report } = await check(pair);
    expect([exitCode, rowsOf(report, 'registry')[0]?.code]).toEqual([7, 'XC-5342']);
  });

  test('nothing configured at all is a simulation that lists what is missing', async () => {
    await using pair = await makePair({ fixture: 'empty', sql: KEYED, config: scoped() });
    const empty = join(pair.directory, 'elsewhere');
    await mkdir(empty);
    const { exitCode, report, stderr } = await check(pair, [], { cwd: empty });
    expect([exitCode, report?.decision, report?.mode], stderr).toEqual([
      0,
      'PROCEED_SIMULATION',
      'simulation',
    ]);
    expect(report?.missing).toContain('POSTGRES_DSN_PRIMARY');
  });

  test('an explicit simulation goes on without servers; a lab does not', async () => {
    await using pair = await makePair({ fixture: 'empty', sql: KEYED, config: scoped() });
    await pair.useDsn('source', 'postgres://app:hunter2@127.0.0.1:1/d');
    const simulated = await check(pair, [], { env: { SIMULATION_MODE: 'true' } });
    expect([simulated.exitCode, simulated.report?.decision]).toEqual([0, 'PROCEED_SIMULATION']);
    expect(simulated.report?.missing).toEqual([`postgres of ${regions(pair.config)[0]}`]);
    await pair.configure((config) => ({ ...config, environment: 'lab' }));
    expect((await check(pair)).exitCode).toBe(7);
  });

  test('keys and directories are looked at, not written', async () => {
    await using pair = await makePair({ fixture: 'empty', sql: KEYED, config: scoped() });
    const key = join(pair.directory, 'cosign.key');
    await writeFile(key, '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n');
    await chmod(key, 0o644);
    await pair.configure((config) => ({ ...config, cosign: { key: 'cosign.key' } }));
    const loose = await check(pair, ['--dry-run']);
    expect(rowsOf(loose.report, 'cosign-key')[0]).toMatchObject({
      verdict: 'fail',
      severity: 'warn',
      remedy: `chmod 600 '${key}'`,
    });
    await chmod(key, 0o600);
    expect(rowsOf((await check(pair, ['--dry-run'])).report, 'cosign-key')[0]?.verdict).toBe('pass');
    await writeFile(join(pair.directory, '.xcrepl'), 'in the way');
    const blocked = await check(pair, ['--dry-run']);
    expect([blocked.exitCode, rowsOf(blocked.report, 'state-directory')[0]?.code]).toEqual([7, 'XC-6002']);
  });
});
