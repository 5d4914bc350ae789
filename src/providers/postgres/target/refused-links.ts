/**
 * Finds out whose changes of a batch the target refuses: applies it again link by link, and rolls each back. So a row of
 * one link is told from what refuses them all, and a constraint that is only judged at the commit has a name, too.
 */

import type { Batch } from '../../../core/change/batch.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import { blaming } from '../../../core/replication/link-fault.ts';
import type { LinkId } from '../../../core/topology/link.ts';
import type { WireConnection } from '../wire/connection.ts';
import { exchange, simpleQuery } from '../wire/exchange.ts';
import { MessageWriter } from '../wire/messages.ts';
import { isOfStatement, isRowRefusal } from '../wire/server-error.ts';
import type { Statements } from '../wire/statements.ts';
import { applyOrdered, type OrderedPorts } from './ordered-batch.ts';

/** @returns the error, naming the links whose changes fail alike; as it is where no link fails alone */
export const blameLinks = async (
  error: unknown,
  connection: WireConnection,
  statements: Statements,
  batch: Batch,
  ports: OrderedPorts,
): Promise<unknown> => {
  if (!(error instanceof XcError) || connection.failure) return error;
  if (error.code !== 'XC-5204' && error.code !== 'XC-5266' && error.facts['link'] === undefined) return error;
  const refused: { readonly link: LinkId; readonly error: XcError }[] = [];
  for (const link of new Set([...batch.counts.keys()].map((route) => route.link))) {
    const why = await tryAlone(link, connection, statements, batch, ports);
    if (why) refused.push({ link, error: why });
  }
  const [first] = refused;
  if (!first) return error;
  const alike = refused.filter((other) => kindOf(other.error) === kindOf(first.error));
  return blaming(
    first.error,
    alike.map(({ link }) => link),
  );
};

const kindOf = ({ code, facts }: XcError): string =>
  JSON.stringify([code, facts['sqlState'], facts['constraint']]);

/** @returns why the target refuses the changes of this link alone, or null */
const tryAlone = async (
  link: LinkId,
  connection: WireConnection,
  statements: Statements,
  batch: Batch,
  ports: OrderedPorts,
): Promise<XcError | null> => {
  await simpleQuery(connection, 'BEGIN; SET CONSTRAINTS ALL DEFERRED');
  try {
    await applyOrdered(connection, statements, batch, { ...ports, only: link });
    await simpleQuery(connection, 'SET CONSTRAINTS ALL IMMEDIATE');
    return null;
  } catch (error) {
    if (error instanceof XcError) return error;
    if (isRowRefusal(error))
      return new XcError('XC-5204', {
        subject: `${error.table ?? 'a transaction'} of link ${link}`,
        why: `constraint ${error.constraint ?? 'unknown'} at the commit, SQLSTATE ${error.sqlState}`,
        facts: { link, sqlState: error.sqlState, constraint: error.constraint ?? null },
        cause: error,
      });
    if (!isOfStatement(error)) throw error;
    return null;
  } finally {
    if (!connection.failure) await rollBack(connection, statements);
  }
};

const rollBack = async (connection: WireConnection, statements: Statements): Promise<void> => {
  const writer = new MessageWriter();
  writer.query('ROLLBACK');
  statements.forget(writer);
  await exchange(connection, writer.take(), 2);
};
