/** SQL identifiers and literals, quoted always: a name that needs no quotes today may be a keyword tomorrow. */

export const ident = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const literal = (text: string): string =>
  text.includes('\\') ? ` E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'` : `'${text.replaceAll("'", "''")}'`;

export const qualified = (table: { readonly schema: string; readonly name: string }): string =>
  `${ident(table.schema)}.${ident(table.name)}`;
