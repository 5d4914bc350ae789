/**
 * Carries sequences along: logical replication has none of their values. The target's are brought to where the source's
 * are, and the rule's head start further, so that a target which is promoted does not issue an id a second time.
 */

import { tableNameSql } from '../quote.ts';
import { splitTable } from '../../../core/topology/table-name.ts';
import type { Client } from 'pg';
import {
  pairSequences,
  wantsSequences,
  type SequencePair,
  type SequenceUse,
  type SequenceWish,
} from '../../../core/replication/sequence-pairs.ts';
import type { Link, LinkId } from '../../../core/topology/link.ts';
import { targetTable } from '../../../core/topology/mapping.ts';
import { matchesPatterns } from '../../../core/topology/pattern.ts';
import type { TableName } from '../../../core/topology/table.ts';
import type { EngineParts } from './parts.ts';
import { publishedTables } from './publications.ts';

interface Row {
  readonly oid: number;
  readonly sequence: string;
  readonly table: string;
  readonly column: string;
  readonly readable: boolean;
  readonly last: string | null;
  readonly increment: string;
}

/** pg_depend: "a" is OWNED BY, "i" an identity column; a default depends on what nextval() names in it. */
const USES = `
  SELECT s.seqrelid AS oid, ${tableNameSql('sn.nspname', 'sc.relname')} AS sequence, w.name AS "table", a.attname::text AS "column",
         has_sequence_privilege(s.seqrelid, 'SELECT, USAGE') AS readable,
         CASE WHEN has_sequence_privilege(s.seqrelid, 'SELECT, USAGE')
              THEN pg_sequence_last_value(s.seqrelid::regclass)::text END AS last,
         s.seqincrement::text AS increment
    FROM unnest($1::text[], $2::text[], $3::text[]) AS w (name, schema, relation)
    JOIN pg_namespace tn ON tn.nspname = w.schema
    JOIN pg_class t ON t.relnamespace = tn.oid AND t.relname = w.relation
   CROSS JOIN LATERAL (
         SELECT d.objid AS sequence, d.refobjsubid AS number FROM pg_depend d
          WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid AND d.refobjsubid > 0
            AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
          UNION
         SELECT d.refobjid, f.adnum FROM pg_attrdef f
           JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
                           AND d.refclassid = 'pg_class'::regclass
          WHERE f.adrelid = t.oid) AS u
    JOIN pg_sequence s ON s.seqrelid = u.sequence
    JOIN pg_class sc ON sc.oid = s.seqrelid
    JOIN pg_namespace sn ON sn.oid = sc.relnamespace
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.number AND NOT a.attisdropped
   ORDER BY 2, 3, 4`;

const usesOf = async (client: Client, tables: Iterable<TableName>): Promise<SequenceUse[]> => {
  const names = [...tables];
  const { rows } = await client.query<Row>(USES, [
    names,
    names.map((table) => splitTable(table).schema),
    names.map((table) => splitTable(table).name),
  ]);
  return rows.map(({ oid, sequence, table, column, readable, last, increment }) => ({
    oid,
    readable,
    sequence,
    table,
    column,
    lastValue: last === null ? null : BigInt(last),
    increment: BigInt(increment),
  }));
};

const NAMED = `
  SELECT c.oid, ${tableNameSql('n.nspname', 'c.relname')} AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind = 'S' AND ${tableNameSql('n.nspname', 'c.relname')} = ANY ($1)`;

/** UPDATE is what setval() and nextval() ask for, and SELECT or USAGE what the value is read with. */
const RAISE = `
  WITH wanted AS (
    SELECT w ->> 'sequence' AS sequence, (w ->> 'oid')::oid AS oid, w ->> 'target' AS target, (w ->> 'value')::numeric AS value,
           w ->> 'why' AS why
      FROM jsonb_array_elements($2) AS w),
  raised AS (
    SELECT sequence, target, value, allowed, CASE WHEN allowed THEN xcrepl.raise_sequence(oid, value) END AS now,
           CASE WHEN NOT allowed THEN 'the role may not set it: it needs SELECT and UPDATE' ELSE why END AS why
      FROM (SELECT *, CASE WHEN oid IS NOT NULL AND value IS NOT NULL
                           THEN has_sequence_privilege(oid, 'UPDATE') AND has_sequence_privilege(oid, 'SELECT, USAGE') END AS allowed
              FROM wanted) AS w),
  gone AS (
    DELETE FROM xcrepl.sequences WHERE stream = $1 AND sequence NOT IN (SELECT sequence FROM wanted)),
  kept AS (
    INSERT INTO xcrepl.sequences AS k (stream, sequence, target, source_value, target_value, why)
    SELECT $1, sequence, target, (SELECT (w ->> 'at')::numeric FROM jsonb_array_elements($2) AS w WHERE w ->> 'sequence' = r.sequence),
           now, why FROM raised AS r
    ON CONFLICT (stream, sequence) DO UPDATE SET target = excluded.target, source_value = excluded.source_value,
      target_value = coalesce(excluded.target_value, k.target_value), why = excluded.why, carried_at = clock_timestamp())
  SELECT count(*) FILTER (WHERE why IS NULL)::int AS carried, count(*) FILTER (WHERE why IS NOT NULL)::int AS "left" FROM raised`;

/** How many sequences the links draw from, and how many of them could not be carried. */
export interface CarriedSequences {
  readonly carried: number;
  readonly left: number;
}

/** Idempotent. Nothing is lowered, whoever else draws from a sequence of the target. */
export const carrySequences = async ({ options, control, store }: EngineParts): Promise<CarriedSequences> => {
  const { key, links } = options.stream;
  const copied = new Set((await store.links()).map(({ link }) => link));
  const source = await control.source();
  const wishes = wishesOf(links, copied, await publishedTables(source, key));
  const uses = await usesOf(source, new Set(wishes.flatMap(({ tables }) => [...tables])));
  if (uses.length === 0 && !wishes.some(({ rule }) => wantsSequences(rule))) return { carried: 0, left: 0 };
  const target = await control.reader();
  const places = wishes.flatMap(({ rule, tables }) =>
    [...tables].map((table) => targetTable(rule.map, table)),
  );
  const names = wishes.flatMap(({ rule }) => uses.map((use) => targetTable(rule.map, use.sequence)));
  const { rows: named } = await target.query<{ oid: number; name: string }>(NAMED, [[...new Set(names)]]);
  const byName = new Map(named.map(({ oid, name }) => [name, oid]));
  const pairs = pairSequences(wishes, uses, await usesOf(target, new Set(places)), byName);
  const { rows } = await target.query<CarriedSequences>(RAISE, [key, JSON.stringify(pairs.map(wanted))]);
  return rows[0] ?? { carried: 0, left: 0 };
};

/** One wish a rule: its links share tables, and only those that were copied count. */
const wishesOf = (
  links: readonly Link[],
  copied: ReadonlySet<LinkId>,
  published: ReadonlySet<TableName>,
): SequenceWish[] => {
  const byRule = Map.groupBy(
    links.filter((link) => copied.has(link.id)),
    ({ rule, scope }) => JSON.stringify([rule.id, scope.kind === 'schema' && scope.schema]),
  );
  return [...byRule.values()].map(([first]) => {
    const { rule, scope } = first!;
    const inScope = (table: TableName): boolean =>
      matchesPatterns(rule.tables ?? [], table) &&
      (scope.kind !== 'schema' || splitTable(table).schema === scope.schema);
    return { rule, tables: new Set([...published].filter(inScope)) };
  });
};

const wanted = ({ source, target, value }: SequencePair): object => ({
  sequence: source.sequence,
  at: source.lastValue?.toString() ?? null,
  oid: target?.oid ?? null,
  target: target?.sequence ?? null,
  value: value?.toString() ?? null,
  why:
    target === null
      ? 'the target has no sequence for the column'
      : source.readable
        ? null
        : 'the role may not read it at the source: it needs SELECT',
});
