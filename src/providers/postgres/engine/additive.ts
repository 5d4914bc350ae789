/**
 * `ddl: additive`: the run itself gives the target what it lacks, in one transaction with its entry for the audit log.
 * Nothing is run here that takes something away or rewrites a row; what is, core/schema-change/statements.ts decides.
 */

import type { Client } from 'pg';
import { isXcError, XcError } from '../../../core/errors/xc-error.ts';
import { tablesOf } from '../../../core/plan/scope.ts';
import { misfitFacts } from '../../../core/replication/misfit-error.ts';
import { createTable, named } from '../../../core/schema-change/statements.ts';
import type { Link, LinkId } from '../../../core/topology/link.ts';
import { targetTable } from '../../../core/topology/mapping.ts';
import { tableName, type TableName } from '../../../core/topology/table.ts';
import { qualified } from '../quote.ts';
import { asXcError } from './retry.ts';
import type { EngineParts, Sides } from './parts.ts';
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

/**
 * Tables that a rule with `ddl: additive` names, and that came after its links were copied, are made on the target, empty.
 * Their rows are another matter: they are carried once the link takes the table in. What cannot be made is told, and
 * stops nothing: no row of it is sent yet.
 */
export const addNewTables = async (
  { options, control, session }: Pick<EngineParts, 'options' | 'control' | 'session'>,
  { source, tables }: Sides,
  links: readonly Link[],
): Promise<void> => {
  const seen = new Set<TableName>();
  for (const link of links.filter(({ rule }) => rule.ddl === 'additive'))
    for (const table of tablesOf(link, source)) {
      const name = tableName(table);
      if (seen.has(name) || tables.get(link.id)?.has(name)) continue;
      seen.add(name);
      const { sql, additive } = createTable(table, link.rule.map);
      const place = named(targetTable(link.rule.map, name));
      if (!additive || (await hasTable(await control.reader(), place))) continue;
      try {
        await addToTarget(sql, name, session);
        options.progress.note(`ddl: additive: ${sql.join(' ')}`);
      } catch (error) {
        if (!isXcError(error)) throw error;
        options.progress.note(`${error.code} ${error.message}`);
      }
    }
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
