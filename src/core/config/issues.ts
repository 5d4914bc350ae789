/** What the schema refuses, in words: every issue with its place, and a suggestion where a name was misspelt. */

import * as z from 'zod/mini';
import { nearest } from '../errors/suggest.ts';
import { valueAt } from './leaves.ts';
import type { Mistake } from './mistake.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly (string | number)[];

/** @param raw the document that was parsed, to say what stands where something else was expected */
export const mistakesOf = (issues: readonly Issue[], schema: z.core.$ZodType, raw: unknown): Mistake[] =>
  issues.flatMap((issue) => translate(issue, [], schema, raw));

const translate = (issue: Issue, above: Path, schema: z.core.$ZodType, raw: unknown): Mistake[] => {
  const path: Path = [...above, ...(issue.path as (string | number)[])];
  const value = valueAt(raw, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey([...path, key], key, keysAt(schema, path)));
    case 'invalid_key':
      return [{ path, message: issue.issues[0]?.message ?? 'not allowed as a name', atKey: true }];
    case 'invalid_union':
      return unionMistakes(issue, path, schema, raw);
    case 'invalid_type':
      return [{ path, message: value === undefined ? 'is missing' : wrongType([issue.expected], value) }];
    case 'invalid_value':
      return [{ path, message: value === undefined ? 'is missing' : notAllowed(issue.values, value) }];
    case 'too_small':
    case 'too_big':
      return [{ path, message: issue.message === 'Invalid input' ? bound(issue) : issue.message }];
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_element':
    case 'custom':
      return [{ path, message: issue.message }];
  }
};

const unknownKey = (path: Path, key: string, known: readonly string[]): Mistake => {
  const suggestion = nearest(key, known);
  const hint = suggestion === undefined ? `; known are ${known.join(', ')}` : `; did you mean ${suggestion}?`;
  return { path, message: `unknown key${hint}`, atKey: true };
};

const unionMistakes = (
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: Path,
  schema: z.core.$ZodType,
  raw: unknown,
): Mistake[] => {
  const value = valueAt(raw, path);
  if (value === undefined) return [{ path, message: 'is missing' }];
  if (issue.errors.length === 0) return [{ path, message: notAllowed(discriminators(schema, path), value) }];
  // The alternative whose kind of value was given is the one that was meant.
  const meant = issue.errors.find((branch) => branch.every((inner) => !isOfOtherKind(inner)));
  if (meant) return meant.flatMap((inner) => translate(inner, path, schema, raw));
  const first = issue.errors.flat();
  const values = first.flatMap((inner) => (inner.code === 'invalid_value' ? inner.values : []));
  const types = first.flatMap((inner) => (inner.code === 'invalid_type' ? [inner.expected] : []));
  if (typeof value === 'string' && values.length > 0)
    return [{ path, message: notAllowed(values, value, types) }];
  return [{ path, message: wrongType([...values.map(String), ...types], value) }];
};

const isOfOtherKind = (inner: Issue): boolean =>
  inner.path.length === 0 && (inner.code === 'invalid_type' || inner.code === 'invalid_value');

const ARTICLES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys with values',
  record: 'keys with values',
  null: 'nothing',
};

const wordFor = (type: string): string => ARTICLES[type] ?? type;

const wrongType = (expected: readonly string[], value: unknown): string => {
  const actual = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  return `expected ${expected.map(wordFor).join(' or ')}, got ${wordFor(actual)}`;
};

const notAllowed = (values: readonly unknown[], value: unknown, types: readonly string[] = []): string => {
  const names = values.map(String);
  const suggestion = typeof value === 'string' ? nearest(value, names) : undefined;
  const list = [...names, ...types.map(wordFor)];
  const expected = names.length === 1 ? `must be ${list.join(' or ')}` : `must be one of ${list.join(', ')}`;
  return suggestion === undefined ? expected : `${expected}; did you mean ${suggestion}?`;
};

const bound = (issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string =>
  issue.code === 'too_small' ? `must be at least ${issue.minimum}` : `must be at most ${issue.maximum}`;

/** The schemas that may stand at a place: more than one below a union. */
const schemasAt = (schema: z.core.$ZodType, path: Path): z.core.$ZodType[] => {
  const [key, ...rest] = path;
  if (key === undefined) return unwrap(schema);
  return unwrap(schema).flatMap((candidate) => {
    const def = definitionOf(candidate);
    const below =
      def.type === 'object'
        ? def.shape[key]
        : def.type === 'record'
          ? def.valueType
          : def.type === 'array'
            ? def.element
            : undefined;
    return below ? schemasAt(below, rest) : [];
  });
};

type Definition = z.core.$ZodTypes['_zod']['def'];

const definitionOf = (schema: z.core.$ZodType): Definition => (schema as z.ZodMiniType).def as Definition;

const unwrap = (schema: z.core.$ZodType): z.core.$ZodType[] => {
  const def = definitionOf(schema);
  if (def.type === 'optional' || def.type === 'default') return unwrap(def.innerType);
  if (def.type === 'pipe') return unwrap(def.in);
  if (def.type === 'union') return def.options.flatMap(unwrap);
  return [schema];
};

const keysAt = (schema: z.core.$ZodType, path: Path): string[] => [
  ...new Set(
    schemasAt(schema, path).flatMap((candidate) => {
      const def = definitionOf(candidate);
      return def.type === 'object' ? Object.keys(def.shape) : [];
    }),
  ),
];

/** Values of the key that tells alternatives apart; the path ends with that key. */
const discriminators = (schema: z.core.$ZodType, path: Path): unknown[] =>
  schemasAt(schema, path).flatMap((candidate) => {
    const def = definitionOf(candidate);
    return def.type === 'literal' ? def.values : [];
  });
