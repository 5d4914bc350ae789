import { describe, expect, test } from 'vitest';
import { splitPsqlInput } from './psql-input.ts';

describe('splitPsqlInput', () => {
  test('cuts at semicolons, and leaves commands of psql and comments out', () => {
    const text = `/* a; comment */ CREATE DATABASE x;\n\\c x;\n-- another; one\nSELECT 1;\nSELECT 2`;
    expect(splitPsqlInput(text)).toEqual(['CREATE DATABASE x', 'SELECT 1', 'SELECT 2']);
  });

  test.each([
    [`INSERT INTO t VALUES (N'it''s; here', E'a\\';b', "q;""x")`],
    ['CREATE FUNCTION f() RETURNS int AS $$ SELECT 1; $$ LANGUAGE sql'],
    ['CREATE FUNCTION g() RETURNS text AS $body$ SELECT $$;$$; $body$ LANGUAGE sql'],
    ['CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)'],
    [`SELECT '-- no comment', '/* none */'`],
  ])('does not cut inside %s', (statement) => {
    expect(splitPsqlInput(`${statement};\nSELECT 1;`)).toEqual([statement, 'SELECT 1']);
  });
});
