/** What only looks leaves no trace: on neither server, and of files only those that were asked for. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePair, type Pair } from '../harness/pair.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { changedFiles, filesBelow } from './files-below.ts';
import { bothStates } from './server-state.ts';

const LINK = `shop:acme:${SOURCE_REGION}:${TARGET_REGION}`;

let pair: Pair;
beforeAll(async () => {
  pair = await makePair({ tenants: ['acme', 'globex'], scale: 0.02 });
  // A sequence that was used, and a setting of a database: both have to stay.
  await pair.source.query(`SELECT nextval('shop.order_number')`);
  await pair.target.query(`ALTER DATABASE ${pair.target.database} SET statement_timeout = '10min'`);
});
afterAll(() => pair[Symbol.asyncDispose]());

/** Runs each command and expects both servers, and all files but the named ones, to be as before. */
const expectNoTrace = async (
  commands: readonly (readonly [
    args: readonly string[],
    exit: number,
    wrote: readonly (string | RegExp)[],
  ])[],
): Promise<void> => {
  const before = await bothStates(pair);
  for (const [args, exit, wrote] of commands) {
    const command = args.join(' ');
    const files = await filesBelow(pair.directory);
    const run = await pair.xcrepl([...args, '-o', 'json']);
    expect(run.exitCode, `${command}\n${run.stderr}`).toBe(exit);
    const changed = changedFiles(files, await filesBelow(pair.directory));
    expect(changed.length, `${command} wrote ${changed.join(', ')}`).toBe(wrote.length);
    for (const [at, pattern] of wrote.entries()) expect(changed[at], command).toMatch(pattern);
  }
  expect(await bothStates(pair)).toEqual(before);
};

const PLAN_FILE = /^\.xcrepl\/plans\/pl_\w+\.json$/;
const PRECHECK_REPORTS = [/^reports\/precheck\.json$/, /^reports\/precheck\.md$/];

describe('before anything was installed', () => {
  test('simulate, dry runs, precheck and status leave both servers as they are', async () => {
    await expectNoTrace([
      [['replication', 'simulate', '--out', 'plan.json'], 0, ['plan.json']],
      [['replication', 'simulate'], 0, [PLAN_FILE]],
      [['replication', 'simulate', '--tenant', 'acme', '--tables', 'shop.orders', '--strict'], 7, []],
      [['replication', 'run', '--dry-run'], 0, [PLAN_FILE]],
      [['replication', 'run', '--follow', '--dry-run', '--metrics-addr', '127.0.0.1:0'], 0, [PLAN_FILE]],
      [['init', '--region', SOURCE_REGION, '--dry-run'], 0, []],
      [['init', '--region', TARGET_REGION, '--dry-run', '--role', 'replicator'], 0, []],
      [['precheck', '--dry-run'], 0, []],
      [['precheck'], 0, PRECHECK_REPORTS],
      [['replication', 'status'], 0, []],
      [['replication', 'stop', '--link', LINK, '--dry-run'], 0, []],
      [['replication', 'drop', '--link', LINK, '--dry-run'], 0, []],
      [['uninstall', '--region', TARGET_REGION, '--dry-run'], 0, []],
      [['config', 'validate', '--secrets'], 0, []],
    ]);
  });
});

describe('beside a link that streams', () => {
  test('the same, with changes waiting and a link to begin', async () => {
    expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
    const run = await pair.xcrepl(['replication', 'run', '--tenant', 'acme', '-o', 'json']);
    expect(run.exitCode, run.stderr).toBe(0);
    await pair.source.query(`UPDATE shop.customers SET note = 'waits in the log' WHERE tenant_id = 'acme'`);
    await expectNoTrace([
      [['replication', 'simulate', '--out', 'plan.json'], 0, ['plan.json']],
      [['replication', 'run', '--dry-run', '--plan', 'plan.json'], 0, [PLAN_FILE]],
      [['replication', 'run', '--once', '--existing', 'replace', '--dry-run'], 0, [PLAN_FILE]],
      [['init', '--region', TARGET_REGION, '--dry-run'], 0, []],
      [['init', '--region', TARGET_REGION], 0, []],
      [['precheck'], 0, PRECHECK_REPORTS],
      [['replication', 'status', '--wait-for', 'state=streaming', '--tenant', 'acme'], 0, []],
      [['replication', 'stop', '--link', LINK, '--dry-run'], 0, []],
      [['replication', 'drop', '--link', LINK, '--dry-run'], 0, []],
      [['replication', 'drop', '--link', LINK], 13, []],
      [['uninstall', '--region', SOURCE_REGION, '--dry-run'], 0, []],
      [['uninstall', '--region', TARGET_REGION, '--dry-run'], 0, []],
      [['uninstall', '--region', TARGET_REGION, '--yes'], 13, []],
    ]);
  });

  test('a plan that is refused leaves no trace either', async () => {
    await pair.source.query(
      'CREATE TABLE shop.only_here (tenant_id text, id int, PRIMARY KEY (tenant_id, id))',
    );
    await expectNoTrace([
      [['replication', 'simulate', '--tenant', 'globex', '--out', 'refused.json'], 7, []],
      [['replication', 'run', '--dry-run', '--tenant', 'globex'], 7, []],
    ]);
  });
});
