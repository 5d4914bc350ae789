/** Triggers of the target that fire for replicas: each keeps a mirror, which is right only if every change fires it once. */

import { big, type Case } from './case.ts';

/** The mirror is of each side's own: it is not carried, and the source's is kept by ordinary triggers. */
const mirrored = (table: string): string => `
  CREATE TABLE app.${table} (tenant text, id int, v text, n int DEFAULT 0, PRIMARY KEY (tenant, id));
  CREATE TABLE app.${table}_mirror (tenant text, id int, v text, n int, PRIMARY KEY (tenant, id));
  CREATE FUNCTION app.${table}_follow() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
    IF TG_OP <> 'INSERT' THEN
      DELETE FROM app.${table}_mirror AS m WHERE m.tenant = OLD.tenant AND m.id = OLD.id;
      IF NOT FOUND THEN RAISE 'the mirror has no row to %', TG_OP; END IF;
    END IF;
    IF TG_OP <> 'DELETE' THEN INSERT INTO app.${table}_mirror VALUES (NEW.tenant, NEW.id, NEW.v, NEW.n); END IF;
    RETURN NULL;
  END $f$;
  CREATE TRIGGER follow AFTER INSERT OR UPDATE OR DELETE ON app.${table} FOR EACH ROW EXECUTE FUNCTION app.${table}_follow()`;

const changes = (table: string): string[] => [
  `INSERT INTO app.${table} VALUES ('a', 10, 'new'), ('b', 10, 'of another')`,
  `UPDATE app.${table} SET v = 'changed' WHERE id < 4; UPDATE app.${table} SET n = n + 1 WHERE id < 3`,
  `BEGIN; INSERT INTO app.${table} VALUES ('a', 11, 'brief'); UPDATE app.${table} SET v = 'briefer' WHERE id = 11; DELETE FROM app.${table} WHERE id = 11; COMMIT`,
  `UPDATE app.${table} SET id = id + 100 WHERE tenant = 'a' AND id > 7`,
  // Leaves the large value unsent.
  `UPDATE app.${table} SET n = 9 WHERE id = 5`,
  `BEGIN; UPDATE app.${table} SET id = -1 WHERE tenant = 'a' AND id = 1; UPDATE app.${table} SET id = 1 WHERE tenant = 'a' AND id = 2; UPDATE app.${table} SET id = 2 WHERE tenant = 'a' AND id = -1; COMMIT`,
  `DELETE FROM app.${table} WHERE id = 3`,
];

export const triggerCases: readonly Case[] = [
  {
    name: 'triggers that are enabled for replicas, and always, fire once for each change in its order',
    way: 'ordered',
    schema: `${mirrored('t')}; ${mirrored('u')}`,
    onTarget: `ALTER TABLE app.t ENABLE REPLICA TRIGGER follow; ALTER TABLE app.u ENABLE ALWAYS TRIGGER follow`,
    tables: ['app.t', 'app.t_mirror', 'app.u', 'app.u_mirror'],
    tenants: ['a'],
    patterns: ['app.t', 'app.u'],
    before: ['t', 'u']
      .map(
        (table) =>
          `INSERT INTO app.${table} SELECT tenant, g, CASE g WHEN 5 THEN ${big('mirror')} ELSE 'v' || g END
             FROM generate_series(1, 9) AS g, unnest('{a,b}'::text[]) AS tenant`,
      )
      .join('; '),
    changes: changes('t').map((change) => `${change}; ${change.replaceAll('app.t', 'app.u')}`),
  },
];
