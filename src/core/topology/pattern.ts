/**
 * Patterns: `*` stands for any run of characters, a leading `!` excludes. Those of tables have two parts as names have,
 * schema.table; `*` stays within its part, and stands for nothing special in double quotes.
 */

import { splitName, type NamePart } from './table-name.ts';

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const matches = (pattern: string, name: string): boolean =>
  pattern.includes('*')
    ? new RegExp(`^${pattern.split('*').map(escape).join('[^]*')}$`).test(name)
    : pattern === name;

const matchesPart = (pattern: NamePart, { text }: NamePart): boolean =>
  pattern.quoted ? pattern.text === text : matches(pattern.text, text);

const matchesTable = (pattern: string, name: string): boolean => {
  const [wanted, given] = [splitName(pattern), splitName(name)];
  return (
    wanted !== null && given !== null && matchesPart(wanted[0], given[0]) && matchesPart(wanted[1], given[1])
  );
};

const chooses = (patterns: readonly string[], isMatched: (pattern: string) => boolean): boolean =>
  patterns.some((pattern) => !pattern.startsWith('!') && isMatched(pattern)) &&
  !patterns.some((pattern) => pattern.startsWith('!') && isMatched(pattern.slice(1)));

/**
 * True when some pattern includes the table and no `!` pattern excludes it.
 * @param table its TableName
 */
export const matchesPatterns = (patterns: readonly string[], table: string): boolean =>
  chooses(patterns, (pattern) => matchesTable(pattern, table));

/** The same for plain names, which have no parts: tenants. */
export const matchesNames = (patterns: readonly string[], name: string): boolean =>
  chooses(patterns, (pattern) => matches(pattern, name));

/** Patterns separated by commas, as on a command line; a comma in quotes separates nothing. */
export const listedPatterns = (text: string): string[] =>
  (text.match(/(?:"(?:[^"]|"")*"|[^,"])+/g) ?? []).map((each) => each.trim()).filter((each) => each !== '');
