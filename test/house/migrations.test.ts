/** Migrations run in databases of any encoding: a character beyond ASCII, in a comment even, would keep `init` out of some. */

import { expect, test } from 'vitest';
import { readMigrations } from '../../src/providers/postgres/migrations.ts';

test('migrations are ASCII', async () => {
  for (const { name, sql } of await readMigrations())
    // oxlint-disable-next-line no-control-regex
    expect(sql.match(/[^\u0000-\u007F].*/g) ?? [], name).toEqual([]);
});
