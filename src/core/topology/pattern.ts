/** Patterns of tenants and tables: `*` stands for any run of characters within one part; a leading `!` excludes. */

const escape = (text: string): string => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');

const expression = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split('.')
      .map((part) => escape(part).replaceAll('*', '[^.]*'))
      .join('\\.')}$`,
  );

/** True when some pattern includes the name and no `!` pattern excludes it. */
export const matchesPatterns = (patterns: readonly string[], name: string): boolean => {
  const included = patterns.some((pattern) => !pattern.startsWith('!') && expression(pattern).test(name));
  return (
    included &&
    !patterns.some((pattern) => pattern.startsWith('!') && expression(pattern.slice(1)).test(name))
  );
};
