/** The floors of the house (docs/architecture.md): who may import whom. Each broken rule is named with file and import. */

import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const SOURCE = join(import.meta.dirname, '../../src');

/** Rooms of core by floor: a room imports only rooms of its own floor or of a lower one. */
const FLOORS: readonly (readonly string[])[] = [
  ['errors', 'time'],
  ['topology', 'config', 'change'],
  ['policy', 'signing', 'audit', 'metrics'],
  ['conflicts', 'objects', 'validation', 'schema-change', 'routing', 'failover'],
  ['plan', 'replication', 'changelog', 'mirror'],
  ['run', 'snapshot'],
  ['chaos', 'report'],
];

/** CONTRACTS, "Between rooms": what core may import besides itself. */
const CORE_PACKAGES = new Set([
  'zod',
  'zod/mini',
  'yaml',
  'jose',
  'canonicalize',
  'node:buffer',
  'node:crypto',
]);

/** Hashing and checking signatures; no chance, no keys made, nothing that waits. */
const CORE_CRYPTO = new Set([
  'createHash',
  'createHmac',
  'createPublicKey',
  'getFips',
  'hash',
  'timingSafeEqual',
  'verify',
]);

const RENDER_ONLY = /^(chalk|cli-table3|ink|react)(\/|$)/;

interface Import {
  /** Path below src/. */
  readonly file: string;
  readonly specifier: string;
  /** Path below src/ for a relative import, else null. */
  readonly target: string | null;
  /** Imported for its types alone, which leaves no trace in what runs. */
  readonly typeOnly: boolean;
  readonly names: readonly string[];
}

const files = globSync('**/*.{ts,tsx}', { cwd: SOURCE }).filter(
  (file) => !/\.(test|fixture|contract)\.tsx?$/.test(file),
);
const texts = new Map(files.map((file) => [file, withoutComments(readFileSync(join(SOURCE, file), 'utf8'))]));

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

const imports: readonly Import[] = files.flatMap((file) => {
  const text = texts.get(file) ?? '';
  const statics = [...text.matchAll(/^(?:import|export)\s+(type\s+)?([^'";]*?)\s*from\s*'([^']+)'/gm)];
  const bare = [...text.matchAll(/^import\s+'([^']+)'/gm)].map((match) => match[1] ?? '');
  const dynamic = [...text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)].map((match) => match[1] ?? '');
  const found: [specifier: string, typeOnly: boolean, names: string[]][] = [
    ...statics.map(([, type, clause = '', specifier = '']): [string, boolean, string[]] => [
      specifier,
      type !== undefined,
      clause.match(/\w+/g) ?? [],
    ]),
    ...[...bare, ...dynamic].map((specifier): [string, boolean, string[]] => [specifier, false, []]),
  ];
  return found.map(([specifier, typeOnly, names]) => ({
    file,
    specifier,
    target: specifier.startsWith('.') ? relative(SOURCE, resolve(SOURCE, dirname(file), specifier)) : null,
    typeOnly,
    names,
  }));
});

const broken = (rule: (found: Import) => boolean): string[] =>
  imports.filter(rule).map(({ file, specifier }) => `${file} imports ${specifier}`);

const room = (path: string): [top: string, room: string] => {
  const [top = '', second = ''] = path.split('/');
  return [top, second];
};

const floorOf = (name: string): number => FLOORS.findIndex((floor) => floor.includes(name));

test('finds the imports that it judges', () => {
  expect(imports.length).toBeGreaterThan(100);
  expect(imports.some(({ target }) => target === 'commands/config/load.ts')).toBe(true);
});

test('every room of core has a floor', () => {
  const rooms = new Set(files.filter((file) => file.startsWith('core/')).map((file) => room(file)[1]));
  expect([...rooms].filter((name) => floorOf(name) < 0)).toEqual([]);
});

test('core imports only core and the few packages that are pure', () => {
  expect(
    broken(
      ({ file, specifier, target }) =>
        file.startsWith('core/') &&
        (target === null ? !CORE_PACKAGES.has(specifier) : !target.startsWith('core/')),
    ),
  ).toEqual([]);
});

test('core uses of node:crypto only what hashes and verifies', () => {
  expect(
    broken(
      ({ file, specifier, names }) =>
        file.startsWith('core/') &&
        specifier === 'node:crypto' &&
        !names.every((name) => CORE_CRYPTO.has(name) || /^(type|Hash|Hmac|KeyObject|BinaryLike)$/.test(name)),
    ),
  ).toEqual([]);
});

test('a room of core imports only its own floor and lower ones', () => {
  expect(
    broken(({ file, target }) => {
      if (!file.startsWith('core/') || !target?.startsWith('core/')) return false;
      return floorOf(room(target)[1]) > floorOf(room(file)[1]);
    }),
  ).toEqual([]);
});

test('core has no clock, chance, environment or process of its own', () => {
  const forbidden =
    /\b(Date\.now\(|new Date\(\)|performance\.now|Math\.random|process\.(?!getBuiltinModule)|globalThis\.process|setTimeout\(|setInterval\(|fetch\()/;
  expect(files.filter((file) => file.startsWith('core/') && forbidden.test(texts.get(file) ?? ''))).toEqual(
    [],
  );
});

test('a provider imports core and itself, never another provider or a command', () => {
  expect(
    broken(({ file, target }) => {
      if (!file.startsWith('providers/') || file === 'providers/registry.ts' || target === null) return false;
      const [top, name] = room(target);
      return top === 'providers' ? name !== room(file)[1] : top !== 'core';
    }),
  ).toEqual([]);
});

test('only commands/render knows how things look', () => {
  expect(
    broken(
      ({ file, specifier, typeOnly }) =>
        RENDER_ONLY.test(specifier) && !typeOnly && !file.startsWith('commands/render/'),
    ),
  ).toEqual([]);
});

test('nothing calls process.exit, and only main.ts sets the exit code', () => {
  expect(files.filter((file) => /\bprocess\s*\.\s*exit\s*\(/.test(texts.get(file) ?? ''))).toEqual([]);
  expect(files.filter((file) => /\bprocess\s*\.\s*exitCode\s*=/.test(texts.get(file) ?? ''))).toEqual([
    'main.ts',
  ]);
});

test('one form of zod, the small one', () => {
  expect(broken(({ specifier }) => specifier.startsWith('zod') && specifier !== 'zod/mini')).toEqual([]);
});

test('no folder for what belongs nowhere', () => {
  expect(
    files.filter((file) => /(^|\/)(utils?|helpers?|common|misc|base|managers?)(\/|\.)/.test(file)),
  ).toEqual([]);
});
