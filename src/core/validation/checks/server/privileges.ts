/** What the role of the DSN may do, with the statement that gives it what it lacks. */

import { splitTable } from '../../../topology/table-name.ts';
import { quoteName } from '../../../topology/quote.ts';
import type { Finding } from '../../finding.ts';
import type { ObservedAccess } from '../../observed-server.ts';
import { row, type ServerCheck, type ServerContext } from './context.ts';

export const privileges: ServerCheck = (context) => {
  const { privileges: has, database, initialised } = context.server;
  const role = quoteName(has.role);
  const rows: Finding[] = [];
  const check = (
    subject: string,
    allowed: boolean,
    seen: string,
    remedy: string,
    severity: Finding['severity'] = 'block',
  ) =>
    rows.push(
      row(context, 'privileges', {
        subject: `${has.role}: ${subject}`,
        ...(allowed ? { seen: 'allowed' } : { verdict: 'fail', severity, seen, remedy, code: 'XC-4002' }),
      }),
    );
  if (context.isSource)
    check(
      'REPLICATION',
      has.replication,
      'the role may not open a replication session or create a slot',
      `ALTER ROLE ${role} REPLICATION;`,
    );
  if (context.isSource || (context.isTarget && !initialised))
    check(
      'CREATE on database',
      has.createInDatabase,
      context.isSource
        ? 'the role may not create a publication'
        : 'the role may not create the schema xcrepl',
      `GRANT CREATE ON DATABASE ${quoteName(database)} TO ${role};`,
    );
  if (context.isTarget) {
    check(
      'session_replication_role',
      has.setReplicationRole,
      'the role may not keep triggers and foreign keys from firing for replicated rows',
      `GRANT SET ON PARAMETER session_replication_role TO ${role};`,
    );
    // Without an origin the checkpoint row alone holds the position, which is enough to resume.
    check(
      'replication origin functions',
      has.deniedOriginFunctions.length === 0,
      `the role may not execute ${has.deniedOriginFunctions.join(', ')}; what it writes is not marked as replicated`,
      `GRANT EXECUTE ON FUNCTION ${has.deniedOriginFunctions.join(', ')} TO ${role};`,
      'warn',
    );
  }
  return rows;
};

/** CORRECTNESS 29: who can disable the guard that fences a demoted primary. */
export const powers: ServerCheck = (context) =>
  context.server.privileges.superuser
    ? [
        row(context, 'role-powers', {
          severity: 'info',
          seen: `${context.server.privileges.role} is a superuser: it passes every privilege check, and could disable a fence`,
          remedy: 'use a role with the grants that xcrepl init prints',
        }),
      ]
    : [];

export const initialised: ServerCheck = (context) =>
  context.server.initialised || !context.isTarget
    ? []
    : [
        row(context, 'initialised', {
          verdict: 'fail',
          severity: 'info',
          seen: 'the schema xcrepl is not there yet',
          remedy: `xcrepl init --region ${context.server.region}`,
        }),
      ];

/** ADD TABLE to a publication takes ownership of the table; reading it for the copy takes SELECT. */
export const sourceAccess = (context: ServerContext, access: readonly ObservedAccess[]): Finding[] =>
  access.flatMap((table) => {
    const lacks = [
      ...(table.schemaUsage ? [] : ['USAGE on its schema']),
      ...(table.select ? [] : ['SELECT']),
      ...(table.owns ? [] : ['ownership (to publish it)']),
    ];
    return lacks.length === 0 ? [] : [denied(context, table, lacks, sourceRemedy(context, table))];
  });

const sourceRemedy = (context: ServerContext, table: ObservedAccess): string => {
  const role = quoteName(context.server.privileges.role);
  return table.owns
    ? grants(table, role, ['SELECT'])
    : `${grants(table, role, ['SELECT'])} GRANT ${quoteName(table.owner)} TO ${role};`;
};

/** TRUNCATE at the source becomes a DELETE for some tenants, and for whole tables a TRUNCATE where it is allowed. */
export const targetAccess = (context: ServerContext, access: readonly ObservedAccess[]): Finding[] =>
  access.flatMap((table) => {
    const needed = (['select', 'insert', 'update', 'delete'] as const).filter((power) => !table[power]);
    const lacks = [
      ...(table.schemaUsage ? [] : ['USAGE on its schema']),
      ...needed.map((power) => power.toUpperCase()),
    ];
    const remedy = grants(table, quoteName(context.server.privileges.role), [
      'SELECT',
      'INSERT',
      'UPDATE',
      'DELETE',
    ]);
    return lacks.length === 0 ? [] : [denied(context, table, lacks, remedy)];
  });

const denied = (
  context: ServerContext,
  table: ObservedAccess,
  lacks: readonly string[],
  remedy: string,
): Finding =>
  row(context, 'table-privileges', {
    subject: table.table,
    verdict: 'fail',
    severity: 'block',
    seen: `${context.server.privileges.role} lacks ${lacks.join(', ')}`,
    remedy,
    code: 'XC-4002',
  });

const grants = (table: ObservedAccess, role: string, powers: readonly string[]): string => {
  const { schema, name } = splitTable(table.table);
  const usage = table.schemaUsage ? '' : `GRANT USAGE ON SCHEMA ${quoteName(schema)} TO ${role}; `;
  return `${usage}GRANT ${powers.join(', ')} ON ${quoteName(schema)}.${quoteName(name)} TO ${role};`;
};
