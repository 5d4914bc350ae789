import { describe, expect, test } from 'vitest';
import { configSchema, type ConfigInput } from '../config/schema.ts';
import { refuseGates } from '../plan/refuse-gates.ts';
import { gatesOfMirror } from './gates.ts';
import { mirrorKey, mirrorsOf, type MirrorWords } from './places.ts';

const scope = (value: string) => ({ kind: 'column' as const, column: 'tenant_id', value });

const config = (more: Partial<ConfigInput> = {}) =>
  configSchema.parse({
    schemaVersion: 1,
    controlPlane: 'acme',
    regions: {
      us: {
        zone: 'us',
        initialRole: 'primary',
        objects: { kind: 's3', bucket: 'b', prefix: 'root/', tenants: { umbra: { bucket: 'own' } } },
      },
      eu: { zone: 'eu', objects: { kind: 'azure', account: 'acc', container: 'c' } },
      twin: { zone: 'us', objects: { kind: 's3', bucket: 'b' } },
      disk: {
        zone: 'us',
        objects: { kind: 'local', path: '/srv', tenants: { acme: { prefix: 'of-acme' } } },
      },
    },
    tenants: {
      acme: { scope: scope('acme'), residency: { zones: ['us'] } },
      acmeplus: { scope: scope('acmeplus') },
      umbra: { scope: scope('umbra') },
    },
    rules: [
      { id: 'media', tenants: ['acme*'], prefixes: ['photos/', 'films/'], from: 'us', to: ['eu', 'disk'] },
      { id: 'rows', tenants: ['acme'], tables: ['shop.*'], from: 'us', to: ['eu'] },
    ],
    ...more,
  });

const words = (source: string, target?: string, tenant?: string): MirrorWords => ({ source, target, tenant });

describe('places of mirrors', () => {
  test('a rule is a mirror for each tenant, target and prefix', () => {
    const all = mirrorsOf(config(), words('media'));
    expect(all).toHaveLength(8);
    expect(all[0]).toEqual({
      id: 'media:acme:us:eu',
      tenant: 'acme',
      source: { region: 'us', prefix: 'photos/' },
      target: { region: 'eu', prefix: 'photos/' },
    });
    expect(mirrorsOf(config(), words('media', undefined, 'acmeplus'))).toHaveLength(4);
    const keys = all.map((wish) => mirrorKey('acme', wish, { include: [], exclude: [] }));
    expect(new Set(keys).size).toBe(8);
  });

  test.each([
    ['rows', undefined, undefined, 'XC-1070'],
    ['nothing', undefined, undefined, 'XC-1006'],
    ['us:', undefined, undefined, 'XC-1070'],
    ['us', 'eu:', undefined, 'XC-1070'],
    ['us:', 'mars:', undefined, 'XC-1006'],
    ['us:', 'eu:', 'nobody', 'XC-1006'],
    // The whole of a store holds the places of its tenants.
    ['us:', 'eu:', undefined, 'XC-2084'],
    ['us:acme/photos/', 'eu:x/', undefined, 'XC-2084'],
    ['us:free/', 'eu:um', undefined, 'XC-2084'],
    // A directory's name is no prefix of another one's.
    ['us:free/', 'disk:of-acme/x', undefined, 'XC-2084'],
    // Within one store.
    ['us:photos/', 'us:photos/copy/', 'acme', 'XC-2085'],
    ['us:', 'us:old/', 'acme', 'XC-2085'],
    ['us:free/', 'twin:root/free/inner/', undefined, 'XC-2085'],
  ])('%s %s of %s is %s', (source, target, tenant, code) => {
    expect(() => mirrorsOf(config(), words(source, target, tenant))).toThrow(
      expect.objectContaining({ code }) as Error,
    );
  });

  test.each([
    ['us:free/', 'eu:free/', undefined],
    ['us:', 'eu:', 'acme'],
    ['us:', 'disk:', 'umbra'],
    ['us:free/', 'disk:of-acmeplus/', undefined],
    ['us:a/', 'us:b/', 'acme'],
  ])('%s %s of %s may be', (source, target, tenant) => {
    expect(mirrorsOf(config(), words(source, target, tenant))).toHaveLength(1);
  });
});

describe('gates of mirrors', () => {
  const context = {
    environment: 'production' as const,
    documents: [],
    manifests: new Map(),
    approvals: { required: 2, keys: 2 },
    budgets: [],
  };
  const judge = (source: string, target: string, tenant: string, destroys: readonly string[]) => {
    const production = config({ environment: 'production' });
    const [wish] = mirrorsOf(production, words(source, target, tenant));
    return gatesOfMirror(production, wish!, context, {
      id: 'pl_1',
      mode: 'live',
      digest: null,
      destroys,
      approval: { required: 2, keys: 2, requester: null, given: [] },
      nowMs: 0,
    });
  };

  test('objects stay in the zones of their tenant; who names none may go anywhere', () => {
    expect(() => refuseGates(judge('us:', 'eu:', 'acme', []), 'x')).toThrow(
      expect.objectContaining({ code: 'XC-2032' }) as Error,
    );
    expect(() => refuseGates(judge('us:', 'disk:', 'acme', []), 'x')).not.toThrow();
    expect(() => refuseGates(judge('us:', 'eu:', 'acmeplus', []), 'x')).not.toThrow();
  });

  test('more deletions than the guard lets through need approval in production', () => {
    expect(() => refuseGates(judge('us:', 'disk:', 'acme', ['deletes 9 objects']), 'x')).toThrow(
      expect.objectContaining({ code: 'XC-3030' }) as Error,
    );
  });
});
