/** What the target does by itself with rows that arrive: triggers, foreign keys, TRUNCATE of what others refer to. */

import type { Shape } from './shape.ts';

export const sideEffects: readonly Shape[] = [
  {
    name: 'triggers: only those for replicas fire, once a row and in the order of the source',
    schema: {
      source: 'CREATE TABLE app.fired (id int PRIMARY KEY, v int)',
      target: `
        CREATE TABLE app.fired (id int PRIMARY KEY, v int);
        CREATE TABLE public.log (n int GENERATED ALWAYS AS IDENTITY, by text, what text, id int, v int);
        CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
          INSERT INTO public.log (by, what, id, v) VALUES (TG_NAME, TG_OP, coalesce(NEW.id, OLD.id), NEW.v); RETURN NULL; END $f$;
        CREATE TRIGGER origin AFTER INSERT OR UPDATE OR DELETE ON app.fired FOR EACH ROW EXECUTE FUNCTION public.note();
        CREATE TRIGGER replica AFTER INSERT OR UPDATE OR DELETE ON app.fired FOR EACH ROW EXECUTE FUNCTION public.note();
        CREATE TRIGGER always AFTER UPDATE ON app.fired FOR EACH ROW EXECUTE FUNCTION public.note();
        ALTER TABLE app.fired ENABLE REPLICA TRIGGER replica, ENABLE ALWAYS TRIGGER always`,
    },
    before: 'INSERT INTO app.fired VALUES (1, 0)',
    changes: [
      'INSERT INTO app.fired VALUES (2, 0)',
      'UPDATE app.fired SET v = v + 1 WHERE id = 2',
      'UPDATE app.fired SET v = v + 1 WHERE id = 2',
      'DELETE FROM app.fired WHERE id = 2',
    ],
    same: 'SELECT * FROM app.fired ORDER BY id',
    later: {
      query: 'SELECT by, what, id, v FROM public.log ORDER BY n',
      gives: [
        { by: 'replica', what: 'INSERT', id: 1, v: 0 },
        { by: 'replica', what: 'INSERT', id: 2, v: 0 },
        { by: 'always', what: 'UPDATE', id: 2, v: 1 },
        { by: 'replica', what: 'UPDATE', id: 2, v: 1 },
        { by: 'always', what: 'UPDATE', id: 2, v: 2 },
        { by: 'replica', what: 'UPDATE', id: 2, v: 2 },
        { by: 'replica', what: 'DELETE', id: 2, v: null },
      ],
    },
  },
  {
    name: 'foreign keys: a cascade is carried as the source did it, and a TRUNCATE touches nobody who refers to the table',
    schema: {
      source: `CREATE TABLE app.parent_row (id int PRIMARY KEY);
               CREATE TABLE app.child_row (id int PRIMARY KEY, parent int REFERENCES app.parent_row ON DELETE CASCADE)`,
      target: `CREATE TABLE app.parent_row (id int PRIMARY KEY);
               CREATE TABLE app.child_row (id int PRIMARY KEY, parent int REFERENCES app.parent_row ON DELETE SET NULL);
               CREATE TABLE public.own (id int PRIMARY KEY, parent int REFERENCES app.parent_row ON DELETE CASCADE)`,
    },
    before: `INSERT INTO app.parent_row SELECT generate_series(1, 9); INSERT INTO app.child_row SELECT g, g FROM generate_series(1, 9) AS g`,
    changes: [
      'DELETE FROM app.parent_row WHERE id < 4',
      'INSERT INTO app.child_row VALUES (20, NULL), (21, 9)',
      'TRUNCATE app.parent_row CASCADE',
      'INSERT INTO app.parent_row VALUES (50); INSERT INTO app.child_row VALUES (50, 50)',
    ],
    same: 'SELECT p.id, c.id AS child, c.parent FROM app.parent_row p FULL JOIN app.child_row c ON c.parent = p.id ORDER BY 1, 2',
  },
];
