/** A role without superuser rights: refused with what it lacks, and able to do everything with what `init` prints. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { shopTables } from '../../fixtures/shop/tables.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { digests } from '../harness/table-digest.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { expectRefusal } from './refusal.ts';
import { withoutHistory } from './server-history.ts';
import { bothStates } from './server-state.ts';

const SIDES = ['source', 'target'] as const;
const OWNER = 'shop_owner';

let pair: Pair;
let role: string;
beforeAll(async () => {
  pair = await makePair({ tenants: ['acme'], scale: 0.02 });
  role = `runner_${pair.source.database}`;
  expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
  for (const side of SIDES)
    await pair[side].query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'; CREATE ROLE ${OWNER}`);
  // Not a superuser's tables: then membership in the owning role would say nothing.
  for (const table of shopTables) await pair.source.query(`ALTER TABLE ${table} OWNER TO ${OWNER}`);
});
afterAll(async () => {
  await useRole('postgres');
  const link = `shop:acme:${SOURCE_REGION}:${TARGET_REGION}`;
  await pair.xcrepl(['replication', 'drop', '--link', link, '--confirm', TARGET_REGION]);
  for (const side of SIDES) {
    await pair[side].query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
    await pair[side].query(`DROP OWNED BY ${OWNER} CASCADE; DROP ROLE ${OWNER}`);
  }
  await pair[Symbol.asyncDispose]();
});

const useRole = async (name: string, sides: readonly (typeof SIDES)[number][] = SIDES): Promise<void> => {
  for (const side of SIDES) {
    const url = new URL(pair[side].dsn);
    if (sides.includes(side) && name !== 'postgres') {
      url.username = name;
      url.password = 'secret';
    }
    await pair.useDsn(side, url.href);
  }
};

const run = () => pair.xcrepl(['replication', 'run', '-o', 'json']);

test('what the role lacks refuses the run before anything is created', async () => {
  const before = withoutHistory(await bothStates(pair));
  await useRole(role, ['source']);
  expectRefusal(await run(), {
    code: 'XC-2014',
    exit: 7,
    says: [
      SOURCE_REGION,
      `ALTER ROLE "${role}" REPLICATION;`,
      'GRANT CREATE ON DATABASE',
      `GRANT "${OWNER}" TO`,
    ],
  });
  await useRole(role, ['target']);
  expectRefusal(await run(), { code: 'XC-4002', exit: 4, says: ['xcrepl', 'xcrepl init prints all grants'] });
  await pair.target.query(`GRANT USAGE ON SCHEMA xcrepl TO ${role}`);
  await pair.target.query(`GRANT ALL ON ALL TABLES IN SCHEMA xcrepl TO ${role}`);
  await pair.target.query(`GRANT ALL ON ALL SEQUENCES IN SCHEMA xcrepl TO ${role}`);
  expectRefusal(await run(), {
    code: 'XC-2014',
    exit: 7,
    says: [TARGET_REGION, `GRANT SET ON PARAMETER session_replication_role TO "${role}";`, 'shop.orders'],
  });
  await pair.target.query(`REVOKE ALL ON SCHEMA xcrepl FROM ${role}`);
  await pair.target.query(`REVOKE ALL ON ALL TABLES IN SCHEMA xcrepl FROM ${role}`);
  await pair.target.query(`REVOKE ALL ON ALL SEQUENCES IN SCHEMA xcrepl FROM ${role}`);
  await useRole('postgres');
  expect(withoutAcls(withoutHistory(await bothStates(pair)))).toEqual(withoutAcls(before));
});

test('with the grants that init prints it copies, streams, stops and drops', async () => {
  await useRole('postgres');
  for (const side of SIDES) {
    const printed = await pair.xcrepl([
      'init',
      '--region',
      pair[side].region,
      '--role',
      role,
      '--dry-run',
      '-o',
      'json',
    ]);
    expect(printed.exitCode, printed.stderr).toBe(0);
    const { databases } = printed.json() as { databases: { grants: { statement: string }[] }[] };
    for (const { statement } of databases.flatMap(({ grants }) => grants))
      await pair[side].query(statement.replace('OWNER_OF_THE_TABLES', OWNER));
  }
  await useRole(role);
  const first = await run();
  expect(first.exitCode, first.stderr).toBe(0);
  await pair.source.query(`UPDATE shop.customers SET note = 'as another role'; DELETE FROM shop.payments`);
  await pair.source.query('TRUNCATE shop.activity_log');
  const second = await run();
  expect(second.exitCode, second.stderr).toBe(0);
  const logged = shopTables.filter((table) => table !== 'shop.activity_log');
  expect(await digests(pair.target, logged)).toEqual(await digests(pair.source, logged));
  const status = await pair.xcrepl(['replication', 'status', '--fail-on', 'findings', '-o', 'json']);
  expect(status.exitCode, status.stderr).toBe(0);
  const checked = await pair.xcrepl(['precheck', '--dry-run', '-o', 'json']);
  expect(checked.exitCode, checked.stdout).toBe(0);
  const link = `shop:acme:${SOURCE_REGION}:${TARGET_REGION}`;
  for (const verb of ['stop', 'drop']) {
    const ended = await pair.xcrepl([
      'replication',
      verb,
      '--link',
      link,
      '--confirm',
      TARGET_REGION,
      '-o',
      'json',
    ]);
    expect(ended.exitCode, ended.stderr).toBe(0);
  }
  for (const side of SIDES) {
    expect(
      await pair[side].query(
        'SELECT slot_name FROM pg_replication_slots WHERE database = current_database()',
      ),
    ).toEqual([]);
    expect(await pair[side].query('SELECT pubname FROM pg_publication')).toEqual([]);
  }
});

/** REVOKE leaves an access list that says what no list says. */
const withoutAcls = (state: object): unknown =>
  JSON.parse(JSON.stringify(state).replaceAll(/\\"(rel|nsp|pro)acl\\":(null|\[[^\]]*\])/g, ''));
