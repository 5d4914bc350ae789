/** Every type that the given ones are made of: elements, bases, subtypes and attributes, at any depth. */

import type { Client } from 'pg';
import type { TypeFacts } from '../../../core/topology/table.ts';

type TypeRow = Omit<Required<TypeFacts>, 'attributes'> & {
  readonly attribute_names: readonly string[];
  readonly attribute_types: readonly string[];
};

const TYPES = `
  WITH RECURSIVE used (oid) AS (
    SELECT unnest($1::oid[])
    UNION
    SELECT part.oid FROM used JOIN pg_type t ON t.oid = used.oid CROSS JOIN LATERAL (
      SELECT t.typelem WHERE t.typcategory = 'A'
      UNION ALL SELECT t.typbasetype
      UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)
      UNION ALL SELECT a.atttypid FROM pg_attribute a
                 WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    ) part (oid) WHERE part.oid <> 0
  )
  SELECT t.oid, n.nspname::text AS schema, t.typname::text AS name, t.typtype::text AS kind,
         t.typcategory::text AS category,
         CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0::oid END AS "elementOid",
         t.typbasetype AS "baseOid", t.typtypmod AS "typeModifier",
         coalesce((SELECT r.rngsubtype FROM pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)), 0::oid)
           AS "rangeSubtypeOid",
         t.typsend <> 0 AND t.typreceive <> 0 AS "hasBinary",
         t.typtype = 'd' AND (t.typnotnull OR EXISTS (
           SELECT FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c')) AS "strictDomain",
         CASE WHEN t.typtype = 'd' THEN
           (SELECT coalesce(jsonb_object_agg(k.conname, pg_get_constraintdef(k.oid)), '{}')
              FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c')
           || CASE WHEN t.typnotnull THEN '{"NOT NULL": "NOT NULL"}' ELSE '{}' END::jsonb ELSE '{}' END AS constraints,
         ARRAY (SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels,
         ARRAY (SELECT a.attname::text FROM pg_attribute a
                 WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
                 ORDER BY a.attnum) AS attribute_names,
         ARRAY (SELECT a.atttypid::text FROM pg_attribute a
                 WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
                 ORDER BY a.attnum) AS attribute_types
    FROM used JOIN pg_type t ON t.oid = used.oid JOIN pg_namespace n ON n.oid = t.typnamespace`;

export const readTypes = async (client: Client, oids: readonly number[]): Promise<Map<number, TypeFacts>> => {
  const { rows } = await client.query<TypeRow>(TYPES, [oids]);
  const types = new Map(rows.map((row) => [row.oid, typeOf(row)]));
  // A domain over a domain that refuses NULL refuses it too.
  const isStrict = (type: TypeFacts | undefined): boolean =>
    type !== undefined && type.kind === 'd' && (type.strictDomain || isStrict(types.get(type.baseOid)));
  return new Map([...types].map(([oid, type]) => [oid, { ...type, strictDomain: isStrict(type) }]));
};

const typeOf = ({ attribute_names: names, attribute_types: oids, ...facts }: TypeRow): TypeFacts => ({
  ...facts,
  attributes: names.map((name, at) => ({ name, typeOid: Number(oids[at]) })),
});
