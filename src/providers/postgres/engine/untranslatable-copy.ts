/** Names the row that a copy met and the target's encoding has no characters for: asked of the source, by the character. */

import type { Client } from 'pg';
import { XcError } from '../../../core/errors/xc-error.ts';
import { rowScope } from '../../../core/plan/scope.ts';
import type { LinkId } from '../../../core/topology/link.ts';
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
      links: row ? await linksWith(client, work, source, character) : idsOf(work),
      table: work.table,
    });
  } catch (failure) {
    return failure instanceof XcError ? failure : error;
  } finally {
    await disconnect(client);
  }
};

const idsOf = ({ group }: ChunkWork): LinkId[] => group.links.map(({ id }) => id);

/** All links of the chunk that have such a row: they are held together, and the chunk is read once more. */
const linksWith = async (
  client: Client,
  work: ChunkWork,
  source: TableFacts,
  character: string,
): Promise<LinkId[]> => {
  const scopes = work.group.links.flatMap((link) => {
    const scope = rowScope(link);
    return scope ? [{ link: link.id, ...scope }] : [];
  });
  const [first] = scopes;
  if (!first || work.group.links.length === 1) return idsOf(work);
  const cases = scopes.map(({ link, value }) => `WHEN ${literal(value)} THEN ${literal(link)}`).join(' ');
  const { rows } = await client.query<{ link: LinkId | null }>(
    `SELECT DISTINCT CASE ${ident(first.column)} ${cases} END AS link${rowsWith(work, source, character)}`,
  );
  const links = rows.flatMap(({ link }) => link ?? []);
  return links.length > 0 ? links : idsOf(work);
};

const sentColumns = ({ group }: ChunkWork): string[] =>
  group.plan.fields.filter(({ redactor }) => redactor?.kind === 'allow').map(({ name }) => name);

const holdsSql = (name: string, character: string): string =>
  `strpos(${ident(name)}::text, ${literal(character)}) > 0`;

/** FROM and WHERE: rows of the chunk that have the character in a column that is sent as it is. */
const rowsWith = (work: ChunkWork, source: TableFacts, character: string): string => {
  const from = ` FROM ${rowsOf(source)} WHERE `;
  const predicate = work.sql.source.slice(
    work.sql.source.indexOf(from) + from.length,
    work.sql.source.lastIndexOf(') TO STDOUT'),
  );
  const any = sentColumns(work).map((name) => holdsSql(name, character));
  return `${from}(${predicate}) AND (${any.join(' OR ')})`;
};

const searchSql = (work: ChunkWork, source: TableFacts, character: string): string => {
  const sent = sentColumns(work);
  const holds = (name: string): string => holdsSql(name, character);
  const column = sent.map((name) => `WHEN ${holds(name)} THEN ${literal(name)}`).join(' ');
  // A hashed key is no secret to the source, but none of what an error may say.
  const key = source.identityColumns.filter((name) => sent.includes(name));
  const pairs = key.flatMap((name) => [literal(name), `${ident(name)}::text`]).join(', ');
  return `SELECT CASE ${column} END AS "column", json_build_object(${pairs}) AS key${rowsWith(work, source, character)} LIMIT 1`;
};
