/**
 * `ddl: additive`: the run itself gives the target what it lacks, in one transaction with its entry for the audit log.
 * Nothing is run here that takes something away or rewrites a row; what is, core/schema-change/statements.ts decides.
 */

import type { Client } from 'pg';
import { XcError } from '../../../core/errors/xc-error.ts';
import { misfitFacts } from '../../../core/replication/misfit-error.ts';
import { createTable } from '../../../core/schema-change/statements.ts';
import type { Link, LinkId } from '../../../core/topology/link.ts';
import { tableName, type TableFacts } from '../../../core/topology/table.ts';
import { qualified } from '../quote.ts';
import { asXcError } from './retry.ts';
import type { EngineParts } from './parts.ts';
import type { TargetSession } from './target-session.ts';

/** Longest wait for the table: behind it all of its readers wait, too. */
const LOCK_TIMEOUT = '5s';

/** Whether every link that the error is of lets the run make what is lacking, and all of it is additive. */
export const mayBeAdded = (error: unknown, { options }: Pick<EngineParts, 'options'>): boolean => {
  const facts = misfitFacts(error);
  if (!facts?.additive) return false;
  const rules = new Map(options.stream.links.map((link) => [link.id, link.rule]));
  return facts.links.every((link: LinkId) => rules.get(link)?.ddl === 'additive');
};

/** @throws XcError XC-5227 when the target refuses a statement; XC-6012 when its lock is not to be had, which passes */
export const addLacking = async (error: XcError, session: TargetSession): Promise<void> => {
  const facts = misfitFacts(error);
  if (!facts) return;
  await addToTarget(facts.statements, facts.table, session);
  session.options.progress.note(`ddl: additive: ${facts.statements.join(' ')}`);
};

export const addToTarget = async (
  statements: readonly string[],
  table: string,
  session: TargetSession,
): Promise<void> => {
  try {
    await session.transaction(async (client) => {
      await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
      for (const statement of statements) await client.query(statement);
      await session.audit(client, 'schema.add', table, { statements });
    });
  } catch (cause) {
    const typed = asXcError(cause, table);
    if (!(typed instanceof XcError) || (typed.code !== 'XC-6014' && typed.code !== 'XC-4002')) throw typed;
    throw new XcError('XC-5227', {
      subject: table,
      why: typed.why ?? typed.message,
      next: statements.join('\n'),
      cause,
    });
  }
};

/** What a table of the source needs on the target, before its rows are copied. @throws XcError XC-5227, XC-6012 */
export const makeTable = async (
  { options, session }: Pick<EngineParts, 'options' | 'session'>,
  table: TableFacts,
  link: Link,
): Promise<void> => {
  const { sql } = createTable(table, link.rule.map);
  await addToTarget(sql, tableName(table), session);
  options.progress.note(`ddl: additive: ${sql.join(' ')}`);
};

export const hasTable = async (
  client: Client,
  table: { readonly schema: string; readonly name: string },
): Promise<boolean> => {
  const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    qualified(table),
  ]);
  return rows[0]?.there === true;
};
