/**
 * Which keys a mirror is about, by globs as rclone reads them (rclone.org, "Filtering"): `*` and `?` stay within one part
 * of a path, `**` does not, `[a-z]` and `{one,two}` choose. A glob that begins with a slash is about the whole key,
 * another one about its end, from some part on.
 */

import { XcError } from '../errors/xc-error.ts';
import { OWN_PREFIX } from './entry.ts';

export interface FilterOptions {
  /** A key has to match one of them; all do where there are none. */
  readonly include: readonly string[];
  /** And none of these. */
  readonly exclude: readonly string[];
}

export type KeyFilter = (key: string) => boolean;

/** @throws XcError XC-1071 */
export const keyFilter = ({ include, exclude }: FilterOptions): KeyFilter => {
  const wanted = include.map(compiled);
  const unwanted = exclude.map(compiled);
  return (key) =>
    (wanted.length === 0 || wanted.some((glob) => glob.test(key))) &&
    !unwanted.some((glob) => glob.test(key));
};

/** What a listing of a store holds of a mirror: keys below the prefix, without it, and nothing of the program's own. */
export const isOwn = (wholeKey: string): boolean => wholeKey.startsWith(OWN_PREFIX);

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

const TOKEN = /\*\*|\*|\?|\[(?:[!^]?)(?:\\.|[^\]\\])+\]|\{|\}|,|\\.|[^]/gu;

const compiled = (glob: string): RegExp => {
  const refuse = (why: string): never => {
    throw new XcError('XC-1071', { subject: JSON.stringify(glob), why });
  };
  if (glob === '' || glob === '/') refuse('it is empty');
  const anchored = glob.startsWith('/');
  let depth = 0;
  const parts = (glob.slice(anchored ? 1 : 0).match(TOKEN) ?? []).map((token) => {
    if (token === '**') return '[^]*';
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    if (token === '{') {
      depth += 1;
      return '(?:';
    }
    if (token === '}') {
      depth -= 1;
      if (depth < 0) refuse('a } without its {');
      return ')';
    }
    if (token === ',' && depth > 0) return '|';
    if (token.length > 1 && token.startsWith('[')) return `[${token.slice(1, -1).replace(/^!/, '^')}]`;
    if (token.length === 2 && token.startsWith('\\')) return escaped(token.slice(1));
    return escaped(token);
  });
  if (depth > 0) refuse('a { without its }');
  try {
    return new RegExp(`${anchored ? '^' : '(?:^|\\/)'}${parts.join('')}$`, 'u');
  } catch (error) {
    return refuse(error instanceof Error ? error.message : 'it is no pattern');
  }
};
