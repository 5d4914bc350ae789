/** Names the row that a copy met and the target's encoding has no characters for: asked of the source, by the character. */

import { XcError } from '../../../core/errors/xc-error.ts';
import type { TableFacts } from '../../../core/topology/table.ts';
import { disconnect } from '../connect.ts';
import { ident, literal, rowsOf } from '../quote.ts';
import {
  bytesNamed,
  encodingError,
  isUntranslatable,
  type Untranslatable,
} from '../target/untranslatable.ts';
import { ServerError } from '../wire/server-error.ts';
import type { CopyContext } from './copy-table.ts';
import type { ChunkWork } from './copy-worker.ts';

/** The error as it is where it is another one. */
export const namingRow = async (
  error: unknown,
  work: ChunkWork,
  source: TableFacts,
  { sessions }: Pick<CopyContext, 'sessions'>,
): Promise<unknown> => {
  if (!(error instanceof ServerError) || !isUntranslatable(error)) return error;
  const client = await sessions.source('reader');
  try {
    const character = bytesNamed(error)?.toString('utf8') ?? '';
    // A server without an encoding sends bytes that are no characters: nothing can be looked for.
    const isText = character !== '' && !character.includes('\uFFFD');
    const row = isText
      ? (await client.query<Untranslatable>(searchSql(work, source, character))).rows[0]
      : undefined;
    return encodingError(error, `copy of ${work.table}`, row ?? { column: null, key: {} }, {
      links: work.group.links.map(({ id }) => id),
      table: work.table,
    });
  } catch (failure) {
    return failure instanceof XcError ? failure : error;
  } finally {
    await disconnect(client);
  }
};

const searchSql = ({ sql, group }: ChunkWork, source: TableFacts, character: string): string => {
  const { fields } = group.plan;
  const sent = fields.filter(({ redactor }) => redactor?.kind === 'allow').map(({ name }) => name);
  const holds = (name: string): string => `strpos(${ident(name)}::text, ${literal(character)}) > 0`;
  const column = sent.map((name) => `WHEN ${holds(name)} THEN ${literal(name)}`).join(' ');
  // A hashed key is no secret to the source, but none of what an error may say.
  const key = source.identityColumns.filter((name) => sent.includes(name));
  const pairs = key.flatMap((name) => [literal(name), `${ident(name)}::text`]).join(', ');
  const from = ` FROM ${rowsOf(source)} WHERE `;
  const predicate = sql.source.slice(
    sql.source.indexOf(from) + from.length,
    sql.source.lastIndexOf(') TO STDOUT'),
  );
  const any = sent.map(holds).join(' OR ');
  return `SELECT CASE ${column} END AS "column", json_build_object(${pairs}) AS key${from}(${predicate}) AND (${any}) LIMIT 1`;
};
