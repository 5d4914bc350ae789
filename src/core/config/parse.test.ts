import { describe, expect, test } from 'vitest';
import { XcError } from '../errors/xc-error.ts';
import { effectiveConfig, leavesOf } from './effective.ts';
import type { Environment } from './environment.ts';
import { parseConfiguration } from './parse.ts';

const GOOD = `schemaVersion: 1
controlPlane: acme
hashKeys: { k1: env:PII_KEY }
regions:
  us-east-1:
    zone: us
    initialRole: primary
    postgres: { dsn: env:POSTGRES_DSN_PRIMARY }
  eu-central-1:
    zone: eu
    postgres: { dsn: file:secrets/eu }
tenants:
  acme:
    scope: { kind: column, column: tenant_id, value: 7 }
    columns:
      shop.customers:
        id: allow
        tenant_id: allow
        email: { pii: email, action: hash, key: k1 }
rules:
  - { id: shop, tenants: [acme], tables: [shop.*], from: us-east-1, to: [eu-central-1], lagObjective: 5s }
budgets:
  - { tenant: acme, from: us-east-1, to: eu-central-1, bytesPerSecond: 20MiB }
`;

const load = (text: string | null, env: Environment = {}, user: string | null = null) =>
  parseConfiguration({
    project: text === null ? null : { path: '/srv/xcrepl.yaml', name: 'xcrepl.yaml', text },
    user: user === null ? null : { path: '/home/u/config.yaml', name: '~/config.yaml', text: user },
    env,
  });

const environmentOf = async (text: string) => (await load(text)).config.environment;

/** The mistakes, one a line, as a person sees them. */
const mistakes = async (text: string | null, env?: Environment, user?: string): Promise<string[]> => {
  const error: unknown = await load(text, env, user).then(
    () => new Error('it was accepted'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof XcError)) throw error;
  expect(error.code).toBe('XC-1002');
  return error.why?.split('\n') ?? [];
};

const change = (from: string, to: string): string => {
  expect(GOOD).toContain(from);
  return GOOD.replace(from, to);
};

describe('a valid file', () => {
  test('is read with units, defaults and shorthands resolved', async () => {
    const { config, path, mode } = await load(GOOD);
    expect(path).toBe('/srv/xcrepl.yaml');
    expect(mode).toBe('live');
    expect(config.rules[0]).toMatchObject({
      lagObjective: 5000,
      tier: 'warm',
      ddl: 'stop',
      verify: 'changed',
    });
    expect(config.budgets[0]?.bytesPerSecond).toBe(20 * 2 ** 20);
    expect(config.regions['eu-central-1']?.initialRole).toBe('replica');
    expect(config.tenants['acme']?.columns?.['shop.customers']?.['id']).toEqual({ action: 'allow' });
    expect(config.tenants['acme']?.scope).toEqual({ kind: 'column', column: 'tenant_id', value: '7' });
  });

  test('is production where it says so, or where approvals are asked for and nothing is said', async () => {
    const approvals =
      'signing: { approvals: { required: 1 }, publicKeys: { alice: { file: alice.pub, scopes: [approve] } } }\n';
    expect(await environmentOf(GOOD)).toBe('staging');
    expect(await environmentOf(GOOD + approvals)).toBe('production');
    expect(await environmentOf(`${GOOD}${approvals}environment: staging\n`)).toBe('staging');
    expect(await environmentOf(`${GOOD}environment: production\n`)).toBe('production');
  });

  test('has a digest that layout and comments do not change and a value does', async () => {
    const { digest } = await load(GOOD);
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect((await load(`# a comment\n${GOOD.replace('zone: us', 'zone:    us')}`)).digest).toBe(digest);
    expect((await load(change('20MiB', '21MiB'))).digest).not.toBe(digest);
  });

  test('says where each value came from', async () => {
    const loaded = await load(GOOD, { GLOBAL_REGISTRY_URL: 'http://r' }, 'cosign: { key: /k }\n');
    expect(loaded.origin('regions.us-east-1.zone')).toBe('xcrepl.yaml:6:11');
    expect(loaded.origin('rules[0].lagObjective')).toBe('xcrepl.yaml:21:103');
    expect(loaded.origin('tenants.acme.columns["shop.customers"].id.action')).toBe('xcrepl.yaml:17:13');
    expect(loaded.origin('rules[0].tier')).toBe('default');
    expect(loaded.origin('registry.url')).toBe('environment GLOBAL_REGISTRY_URL');
    expect(loaded.origin('cosign.key')).toBe('~/config.yaml:1:16');
  });

  test('is shown as it was written, with the defaults filled in', async () => {
    const loaded = await load(GOOD);
    expect(effectiveConfig(loaded)).toMatchObject({
      rules: [{ lagObjective: '5s', tier: 'warm' }],
      budgets: [{ bytesPerSecond: '20MiB' }],
      tenants: { acme: { columns: { 'shop.customers': { id: 'allow' } } } },
    });
    expect(leavesOf(loaded)).toContainEqual({
      path: 'rules[0].lagObjective',
      value: '5s',
      origin: 'xcrepl.yaml:21:103',
    });
  });

  test('may use anchors and merge keys', async () => {
    const text = change('zone: us\n', 'zone: us\n    location: &here { lat: 1, lon: 2 }\n').replace(
      'zone: eu\n',
      'zone: eu\n    location: { <<: *here, lat: 3 }\n',
    );
    expect((await load(text)).config.regions['eu-central-1']?.location).toEqual({ lat: 3, lon: 2 });
  });
});

describe('every mistake is told at once, with its place', () => {
  test('of an object store: a literal key, two tenants in one place, a path that leads out', async () => {
    const text = change(
      'zone: us\n',
      `zone: us
    objects:
      kind: s3
      bucket: b
      credentials: { accessKeyId: AKIA, secretAccessKey: env:KEY }
      prefix: ../up
`,
    );
    expect((await mistakes(text)).map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'regions.us-east-1.objects.credentials.accessKeyId: a reference: env:NAME, file:PATH, cmd:COMMAND or vault:PATH#KEY',
      'regions.us-east-1.objects.prefix: no leading slash, and no . or .. as a part',
    ]);
    const shared = change(
      'zone: us\n',
      `zone: us
    objects:
      kind: local
      path: /srv
      tenants: { acme: { prefix: one/ }, umbra: { prefix: one/ } }
`,
    );
    expect((await mistakes(shared)).map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'regions.us-east-1.objects.tenants.umbra: no tenant of this name; there is acme',
      'regions.us-east-1.objects.tenants.umbra: the same place as of tenant acme',
    ]);
  });

  test('of the schema', async () => {
    const text = `schemaVersion: 1
controlPlane: acme
regons: {}
regions:
  us-east-1: { zone: us, initialRole: primry, postgres: { dsn: postgres://u:planted@h/d } }
  eu-central-1: { zone: 5, objects: { kind: s4 } }
rules:
  - { id: shop, tenants: [], teir: hot, from: us-east-1, to: [eu-central-1], lagObjective: 5 }
`;
    const found = await mistakes(text);
    expect(found).toEqual([
      'xcrepl.yaml:3:1 regons: unknown key; did you mean regions?',
      'xcrepl.yaml:5:39 regions.us-east-1.initialRole: must be one of primary, replica; did you mean primary?',
      'xcrepl.yaml:5:64 regions.us-east-1.postgres.dsn: a reference: env:NAME, file:PATH, cmd:COMMAND or vault:PATH#KEY',
      'xcrepl.yaml:6:25 regions.eu-central-1.zone: expected text, got a number',
      'xcrepl.yaml:6:45 regions.eu-central-1.objects.kind: must be one of s3, gcs, azure, local, memory; did you mean s3?',
      'xcrepl.yaml:8:26 rules[0].tenants: at least one tenant',
      'xcrepl.yaml:8:30 rules[0].teir: unknown key; did you mean tier?',
      'xcrepl.yaml:8:92 rules[0].lagObjective: expected text, got a number',
    ]);
    expect(found.join()).not.toContain('planted');
  });

  test('of a change log that could not be read, or would have to be written', async () => {
    const text = `schemaVersion: 1
controlPlane: acme
regions: { us: { zone: us, path: x }, a: { zone: us, kind: changelog }, b: { zone: us, kind: changelog, path: b, initialRole: primary } }
tenants: { acme: { scope: { kind: schema, schema: app } } }
rules:
  - { id: r, tenants: [acme], tables: [app.*], from: us, to: [b] }
`;
    expect((await mistakes(text)).map((mistake) => mistake.replace(/^xcrepl.yaml:\d+:\d+ /, ''))).toEqual([
      'regions.us.path: only kind changelog has a path',
      'regions.a: kind changelog needs the path of the log',
      'regions.b.initialRole: a change log cannot be written, and so cannot be primary',
      'rules[0].to[0]: a change log cannot be written',
    ]);
  });

  test('of names that point to nothing and settings that contradict', async () => {
    const text = `schemaVersion: 1
controlPlane: acme
regions: { us: { zone: us }, eu: { zone: eu } }
tenants:
  acme:
    scope: { kind: column, column: tenant_id, value: acme }
    columns:
      shop.customers: { tenant_id: { action: drop }, email: { action: hash, key: k9 } }
rules:
  - { id: a, tenants: [acmee], tables: [shop.*], from: uss, to: [us, us] }
  - { id: a, tenants: [acme], from: us, to: [us] }
  - { id: b, tenants: [x*], tables: ["!shop.a"], from: us, to: [eu] }
  - { id: c, tenants: [acme], tables: [shop.*], mode: active-active, from: us, to: [eu] }
budgets:
  - { tenant: nobody, from: us, to: us }
conflicts: { default: { strategy: last-write, rank: [us, mars, us] } }
`;
    expect(await mistakes(text)).toEqual([
      'xcrepl.yaml:8:36 tenants.acme.columns["shop.customers"].tenant_id: the tenant column cannot be dropped',
      'xcrepl.yaml:8:82 tenants.acme.columns["shop.customers"].email.key: no hash key of this name',
      'xcrepl.yaml:10:24 rules[0].tenants[0]: no tenant of this name; did you mean acme?',
      'xcrepl.yaml:10:56 rules[0].from: no region of this name; did you mean us?',
      'xcrepl.yaml:10:70 rules[0].to[1]: this region is named twice',
      'xcrepl.yaml:11:5 rules[1]: a rule needs tables, prefixes or both',
      'xcrepl.yaml:11:11 rules[1].id: rules[0] has this id too, and links are named after it',
      'xcrepl.yaml:11:46 rules[1].to[0]: the source region cannot be a target',
      'xcrepl.yaml:12:24 rules[2].tenants[0]: matches no tenant',
      'xcrepl.yaml:12:37 rules[2].tables: only exclusions: nothing is included',
      'xcrepl.yaml:13:55 rules[3].mode: active-active cannot carry shop.customers: tenant_id of tenant acme does not travel as it is',
      'xcrepl.yaml:15:15 budgets[0].tenant: no tenant of this name; there is acme',
      'xcrepl.yaml:15:37 budgets[0].to: the source region cannot be the target',
      'xcrepl.yaml:16:58 conflicts.default.rank[1]: no region of this name; there is us, eu',
      'xcrepl.yaml:16:64 conflicts.default.rank[2]: this region is named twice',
    ]);
  });

  test.each([
    [
      'a key given twice',
      'schemaVersion: 1\nschemaVersion: 1\n',
      /^xcrepl.yaml:2:1: Map keys must be unique/,
    ],
    ['a tab', 'schemaVersion: 1\nregions:\n\tus: 1\n', /^xcrepl.yaml:3:1: Tabs are not allowed/],
    ['an open quote', 'schemaVersion: 1\ncontrolPlane: "acme\n', /^xcrepl.yaml:\d:\d+: Missing closing/],
    ['an unknown anchor', 'schemaVersion: *nowhere\n', /^xcrepl.yaml:1:\d+: Unresolved alias/],
    ['two documents', `${GOOD}---\n${GOOD}`, /^xcrepl.yaml:24:1: Source contains multiple documents/],
    ['an empty file', '', /^xcrepl.yaml:1:1: expected keys with values, got nothing/],
    ['a list', '- 1\n', /^xcrepl.yaml:1:1: expected keys with values, got a list/],
  ])('%s', async (_name, text, expected) => {
    expect((await mistakes(text))[0]).toMatch(expected);
  });

  test('aliases that would expand beyond any size', async () => {
    const rows = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (const [index, name] of Array.from('bcdefghi').entries())
      rows.push(`${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[index]}`).join(', ')}]`);
    expect((await mistakes(`${rows.join('\n')}\n`))[0]).toMatch(/alias/i);
  });

  test('a column rule that is misspelt, and hash without its key', async () => {
    expect(await mistakes(change('id: allow', 'id: alow'))).toEqual([
      'xcrepl.yaml:17:13 tenants.acme.columns["shop.customers"].id: must be allow or keys with values; did you mean allow?',
    ]);
    expect(await mistakes(change('action: hash, key: k1', 'action: hash'))).toEqual([
      'xcrepl.yaml:19:16 tenants.acme.columns["shop.customers"].email: hash needs a key: a name under hashKeys',
    ]);
  });

  test('of the user file, which gives defaults only', async () => {
    expect(await mistakes(GOOD, {}, 'regions: {}\n')).toEqual([
      '~/config.yaml:1:1 regions: unknown key; known are schemaVersion, environment, registry, vault, cosign',
    ]);
  });
});

describe('precedence', () => {
  test('environment before project file before user file before defaults', async () => {
    const user = 'environment: staging\nregistry: none\ncosign: { key: /user }\n';
    const of = async (env: Environment, text: string) => (await load(text, env, user)).config;
    expect((await of({}, GOOD)).environment).toBe('staging');
    expect((await of({}, `${GOOD}environment: lab\n`)).environment).toBe('lab');
    expect((await of({}, GOOD)).cosign).toEqual({ key: '/user' });
    expect((await of({ COSIGN_KEY_PATH: '/env' }, `${GOOD}cosign: { key: /file }\n`)).cosign).toEqual({
      key: '/env',
    });
    expect((await of({ GLOBAL_REGISTRY_URL: 'http://r' }, GOOD)).registry).toEqual({
      url: 'env:GLOBAL_REGISTRY_URL',
    });
  });

  test('VAULT_ADDR replaces the address and leaves the token', async () => {
    const text = `${GOOD}vault: { address: https://old, token: file:token }\n`;
    expect((await load(text, { VAULT_ADDR: 'https://new' })).config.vault).toEqual({
      address: 'env:VAULT_ADDR',
      token: 'file:token',
    });
  });
});

describe('the environment alone', () => {
  const dsns = { POSTGRES_DSN_PRIMARY: 'postgres://a', POSTGRES_DSN_SECONDARY: 'postgres://b' };

  test('describes two regions whose DSNs stay references', async () => {
    const { config, path, mode, missing } = await load(null, dsns);
    expect({ path, mode, missing }).toEqual({ path: null, mode: 'live', missing: [] });
    expect(config.regions).toEqual({
      'us-east-1': { zone: 'us', initialRole: 'primary', postgres: { dsn: 'env:POSTGRES_DSN_PRIMARY' } },
      'eu-central-1': { zone: 'eu', initialRole: 'replica', postgres: { dsn: 'env:POSTGRES_DSN_SECONDARY' } },
    });
  });

  test('names its regions, and only the first secondary has servers', async () => {
    const { config, origin } = await load(null, {
      ...dsns,
      PRIMARY_REGION: 'ap-south-1',
      SECONDARY_REGIONS: 'eu-west-1, us-west-2',
      S3_SECONDARY_ENDPOINT: 'http://minio',
      CLOUD_PROVIDER_PRIMARY: 'mock',
      CLOUD_PROVIDER_SECONDARY: 'aws',
    });
    expect(Object.keys(config.regions)).toEqual(['ap-south-1', 'eu-west-1', 'us-west-2']);
    expect(config.regions['ap-south-1']?.objects).toEqual({ kind: 'memory' });
    expect(config.regions['eu-west-1']?.objects).toEqual({
      kind: 's3',
      bucket: 'xcrepl',
      endpoint: 'env:S3_SECONDARY_ENDPOINT',
    });
    expect(config.regions['us-west-2']).toEqual({ zone: 'us', initialRole: 'replica' });
    expect(origin('regions.ap-south-1.zone')).toBe('environment PRIMARY_REGION');
    expect(origin('regions.ap-south-1.postgres.dsn')).toBe('environment POSTGRES_DSN_PRIMARY');
    expect(origin('rules')).toBe('default');
  });

  test('is refused with the variable named', async () => {
    expect(
      await mistakes(null, {
        ...dsns,
        REPLICATION_WINDOW_MS: 'soon',
        SIMULATION_MODE: 'maybe',
        CLOUD_PROVIDER_PRIMARY: 'awss',
        PRIMARY_REGION: 'Not A Region',
      }),
    ).toEqual([
      'environment SIMULATION_MODE: must be true or false',
      'environment REPLICATION_WINDOW_MS: must be a number of milliseconds above 0',
      'environment CLOUD_PROVIDER_PRIMARY: must be one of aws, gcp, azure, mock',
      expect.stringMatching(/^environment PRIMARY_REGION regions\["Not A Region"\]: lower-case/) as string,
    ]);
  });

  test('REPLICATION_WINDOW_MS is 30 s where it is not given', async () => {
    expect((await load(null, dsns)).replicationWindowMs).toBe(30_000);
    expect((await load(GOOD, { REPLICATION_WINDOW_MS: '250' })).replicationWindowMs).toBe(250);
  });
});

describe('simulation', () => {
  test('neither file nor DSN, and all that is missing is named', async () => {
    const { mode, missing } = await load(null, { VAULT_ADDR: 'http://v' });
    expect(mode).toBe('simulation');
    expect(missing).toContain('POSTGRES_DSN_PRIMARY');
    expect(missing).toContain('S3_PRIMARY_ENDPOINT');
    expect(missing).not.toContain('VAULT_ADDR');
  });

  test('one DSN is enough to be live, and a file with a variable missing stays live', async () => {
    expect((await load(null, { POSTGRES_DSN_SECONDARY: 'postgres://b' })).mode).toBe('live');
    expect((await load(null, { POSTGRES_DSN_PRIMARY: '' })).mode).toBe('simulation');
    expect(await load(GOOD, {})).toMatchObject({ mode: 'live', missing: [] });
  });

  test('SIMULATION_MODE and environment: lab', async () => {
    expect((await load(GOOD, { SIMULATION_MODE: 'true' })).mode).toBe('simulation');
    expect((await load(GOOD, { SIMULATION_MODE: 'true' })).missing).toEqual([
      'PII_KEY',
      'POSTGRES_DSN_PRIMARY',
    ]);
    expect(
      (await load(`${GOOD}environment: lab\n`, { PII_KEY: 'x', POSTGRES_DSN_PRIMARY: 'y' })).missing,
    ).toEqual([]);
    expect((await load(`${GOOD}environment: lab\n`)).mode).toBe('simulation');
    expect((await load(GOOD, { SIMULATION_MODE: 'false' })).mode).toBe('live');
  });
});
