/** Tables that are called otherwise on the target. */

import type { Shape } from './shape.ts';

const big = "(SELECT string_agg(md5('x' || g), '') FROM generate_series(1, 400) AS g)";

export const names: readonly Shape[] = [
  {
    name: 'quoted names, folded on the target',
    schema: {
      source: `CREATE TABLE app."Orders" ("Id" int, "tenantId" int, "Total Sum" numeric, "Body" text,
                 PRIMARY KEY ("Id", "tenantId"), UNIQUE ("Total Sum"))`,
      target: `CREATE SCHEMA sales; CREATE TABLE sales.orders (own text DEFAULT 'own', total numeric UNIQUE, body text, id int, tenantid int,
                 PRIMARY KEY (id, tenantid))`,
    },
    before: `INSERT INTO app."Orders" SELECT g, 1, g, ${big} FROM generate_series(1, 20) AS g`,
    changes: [
      `UPDATE app."Orders" SET "Total Sum" = 1000 WHERE "Id" = 1`,
      `UPDATE app."Orders" SET "Id" = "Id" + 100 WHERE "Id" > 15`,
      `UPDATE app."Orders" SET "Id" = 1 - "Id", "Body" = 'short' WHERE "Id" = 3`,
      `DELETE FROM app."Orders" WHERE "Id" = 2`,
      `INSERT INTO app."Orders" VALUES (50, 2, 77, NULL)`,
      `UPDATE app."Orders" SET "Total Sum" = -1 WHERE "Id" = 4; UPDATE app."Orders" SET "Total Sum" = 4 WHERE "Id" = 5;
       UPDATE app."Orders" SET "Total Sum" = 5 WHERE "Id" = 4`,
    ],
    same: {
      source: `SELECT "Id" AS id, "tenantId" AS t, "Total Sum" AS total, md5("Body") AS body FROM app."Orders" ORDER BY 1`,
      target: 'SELECT id, tenantid AS t, total, md5(body) AS body FROM sales.orders ORDER BY 1',
    },
    target: { query: 'SELECT DISTINCT own FROM sales.orders', gives: [{ own: 'own' }] },
    rule: {
      map: {
        tables: { 'app.Orders': 'sales.orders' },
        columns: { 'app.Orders': { 'Total Sum': 'total' } },
        case: 'lower',
      },
    },
  },
  {
    name: 'partitioned, and in another schema under the same name',
    schema: {
      source: `CREATE TABLE app."Parts" (id int PRIMARY KEY, "Kind" text) PARTITION BY RANGE (id);
               CREATE TABLE app."Parts_1" PARTITION OF app."Parts" FOR VALUES FROM (0) TO (10);
               CREATE TABLE app."Parts_2" PARTITION OF app."Parts" DEFAULT`,
      target: `CREATE SCHEMA app_eu; CREATE TABLE app_eu.parts (kind text, id int PRIMARY KEY) PARTITION BY HASH (id);
               CREATE TABLE app_eu.parts_0 PARTITION OF app_eu.parts FOR VALUES WITH (MODULUS 1, REMAINDER 0)`,
    },
    before: `INSERT INTO app."Parts" SELECT g, 'k' FROM generate_series(1, 20) AS g`,
    changes: [
      `UPDATE app."Parts" SET id = id + 5 WHERE id > 15`,
      `INSERT INTO app."Parts" VALUES (100, 'new')`,
      `TRUNCATE app."Parts"`,
      `INSERT INTO app."Parts" VALUES (1, 'after')`,
    ],
    same: {
      source: `SELECT id, "Kind" AS kind FROM app."Parts" ORDER BY 1`,
      target: 'SELECT id, kind FROM app_eu.parts ORDER BY 1',
    },
    rule: { map: { tables: { 'app.Parts': 'app_eu.parts' } } },
  },
];
