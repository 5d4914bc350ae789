/**
 * Splits a file meant for psql into statements, as far as dumps and sample databases go: a statement ends at a
 * semicolon outside of quotes, dollar quotes, comments and parentheses; a line that begins with a backslash is a
 * command of psql's own and is left out. COPY with inline data is not supported.
 */

export const splitPsqlInput = (text: string): string[] => {
  const statements: string[] = [];
  let statement = '';
  let depth = 0;
  for (const token of text.matchAll(TOKEN)) {
    const [piece] = token;
    if (isComment(piece)) continue;
    if (piece.startsWith('\\') && statement.trim() === '') continue;
    if (piece === '(') depth++;
    if (piece === ')') depth--;
    if (piece !== ';' || depth > 0) {
      statement += piece;
      continue;
    }
    if (statement.trim() !== '') statements.push(statement.trim());
    statement = '';
  }
  if (statement.trim() !== '') statements.push(statement.trim());
  return statements;
};

const isComment = (piece: string): boolean => piece.startsWith('--') || piece.startsWith('/*');

/** In order: comments, quoted text, dollar quotes, commands of psql to the end of their line, and all else. */
const TOKEN = new RegExp(
  [
    String.raw`--[^\n]*`,
    String.raw`/\*[\s\S]*?\*/`,
    String.raw`\b[eE]'(?:[^'\\]|\\[\s\S]|'')*'`,
    String.raw`'(?:[^']|'')*'`,
    String.raw`"(?:[^"]|"")*"`,
    String.raw`\$([A-Za-z_][A-Za-z_0-9]*)?\$[\s\S]*?\$\1\$`,
    String.raw`\\[^\n]*`,
    String.raw`[();]`,
    String.raw`[A-Za-z_0-9]+`,
    String.raw`[\s\S]`,
  ].join('|'),
  'g',
);
