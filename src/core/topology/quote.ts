/** Names and values as SQL text, for statements that are shown to be pasted. Always quoted, so that none is a keyword. */

export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const quoteLiteral = (text: string): string =>
  text.includes('\\')
    ? `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
    : `'${text.replaceAll("'", "''")}'`;

export const quoteTable = (table: { readonly schema: string; readonly name: string }): string =>
  `${quoteName(table.schema)}.${quoteName(table.name)}`;

export const quoteNames = (names: readonly string[]): string => names.map(quoteName).join(', ');
