/** Configurations and arguments that must not run: each is refused with its code and remedy, before any server is touched. */

import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { makePair, type Pair } from '../harness/pair.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { filesBelow } from './files-below.ts';
import { expectRefusal, type Refusal } from './refusal.ts';
import { bothStates, type ServerState } from './server-state.ts';

let pair: Pair;
let good: string;
let untouched: ServerState;
beforeAll(async () => {
  pair = await makePair({ tenants: ['acme'], scale: 0.02 });
  good = await readFile(pair.configPath, 'utf8');
  expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
  untouched = await bothStates(pair);
});
beforeEach(() => writeFile(pair.configPath, good));
afterAll(async () => {
  expect(await bothStates(pair)).toEqual(untouched);
  await pair[Symbol.asyncDispose]();
});

const refused = async (wanted: Refusal, args: readonly string[] = ['replication', 'run']) => {
  const files = await filesBelow(pair.directory);
  const error = expectRefusal(await pair.xcrepl([...args, '-o', 'json']), wanted);
  expect(await filesBelow(pair.directory), 'files').toEqual(files);
  return error;
};

test('every unknown key and wrong type at once, each with its place', async () => {
  await writeFile(
    pair.configPath,
    good
      .replace('controlPlane: test', 'controlPlane: 7\ncontrolPlan: test')
      .replace('tier: warm', 'tier: lukewarm\n    teir: warm')
      .replace('lagObjective: 5s', 'lagObjective: soon'),
  );
  for (const args of [
    ['replication', 'run'],
    ['replication', 'simulate'],
    ['config', 'validate'],
  ])
    await refused(
      {
        code: 'XC-1002',
        exit: 2,
        says: [
          /xcrepl\.yaml:\d+:\d+ controlPlane/,
          /controlPlan\b/,
          /rules\[0\]\.tier/,
          /teir/,
          /rules\[0\]\.lagObjective/,
        ],
      },
      args,
    );
});

test('names that refer to nothing', async () => {
  await writeFile(
    pair.configPath,
    good.replaceAll(`to:\n      - ${TARGET_REGION}`, 'to:\n      - eu-central-2'),
  );
  await refused({
    code: 'XC-1002',
    exit: 2,
    says: [/:\d+:\d+ rules\[0\]\.to\[0\]/, 'did you mean eu-central-1?'],
  });
  await writeFile(pair.configPath, good);
  await refused({ code: 'XC-1006', exit: 2, says: ['acm'] }, ['replication', 'run', '--tenant', 'acm']);
  await refused({ code: 'XC-1006', exit: 2, says: ['mars'] }, ['replication', 'simulate', '--from', 'mars']);
  await refused({ code: 'XC-1304', exit: 2 }, ['replication', 'run', '--tier', 'cold']);
  await refused({ code: 'XC-1006', exit: 2 }, ['init', '--region', 'mars']);
});

test('text that is no YAML, and a file that is not there', async () => {
  await appendFile(pair.configPath, '\nregions: [');
  await refused({ code: 'XC-1002', exit: 2, says: [/xcrepl\.yaml:\d+:\d+/] });
  await refused({ code: 'XC-1003', exit: 2, says: ['nowhere.yaml'] }, [
    '-c',
    'nowhere.yaml',
    'replication',
    'run',
  ]);
});

test('a secret that is missing is never a simulation', async () => {
  const file = join(pair.directory, 'secrets', `${TARGET_REGION}.dsn`);
  const dsn = await readFile(file, 'utf8');
  await rm(file);
  await refused({ code: 'XC-1005', exit: 2, says: [`${TARGET_REGION}.dsn`] });
  await refused({ code: 'XC-1005', exit: 2 }, ['replication', 'status']);
  await refused({ code: 'XC-1005', exit: 2 }, ['init', '--region', TARGET_REGION]);
  await writeFile(file, dsn);
  await writeFile(pair.configPath, good.replace(/file:\S*k1\.key/, 'env:NOT_THERE'));
  await refused({ code: 'XC-1005', exit: 2, says: ['env:NOT_THERE'] });
});

test('malformed DSNs, whose text is never shown', async () => {
  const bad = [
    'postgres//app:pl4nted@127.0.0.1/app',
    'mysql://app:pl4nted@127.0.0.1/app',
    'postgres://app:pl4nted@127.0.0.1:port/app',
    'postgres://app:pl4nted@127.0.0.1:70000/app',
    'postgres://app:pl4nted%zz@127.0.0.1/app',
    'postgres://app:pl4nted@127.0.0.1/app?sslmode=sometimes',
    'postgres://app:pl4nted@127.0.0.1/app?sslmod=require',
    'postgres://:pl4nted@127.0.0.1/app',
    'host=127.0.0.1 password=pl4nted',
    '',
  ];
  for (const dsn of bad) {
    await pair.useDsn('source', dsn);
    const run = await pair.xcrepl(['replication', 'run', '-v', '-o', 'json']);
    expectRefusal(run, { code: dsn === '' ? 'XC-1005' : 'XC-1010', exit: 2 });
    expect(run.stderr, dsn).not.toContain('pl4nted');
  }
  await pair.useDsn('source', pair.source.dsn);
});

test('tiers and modes that this version cannot run say so', async () => {
  const tier = (text: string) => writeFile(pair.configPath, good.replace('tier: warm', text));
  for (const name of ['hot', 'cold']) {
    await tier(`tier: ${name}`);
    for (const verb of ['run', 'simulate'])
      await refused({ code: 'XC-1007', exit: 2, says: ['rule shop', name, 'warm'] }, ['replication', verb]);
  }
  await writeFile(pair.configPath, good.replace('mode: active-passive', 'mode: active-active'));
  await refused({ code: 'XC-1007', exit: 2, says: ['active-active'] });
});

test('arguments that do not fit', async () => {
  const cases: readonly (readonly [code: string, args: readonly string[]])[] = [
    ['XC-1001', ['replication', 'rnu']],
    ['XC-1001', ['replication', 'run', '--onc']],
    ['XC-1001', ['replication', 'run', '--once', '--follow']],
    ['XC-1001', ['replication', 'run', '--existing', 'merge']],
    ['XC-1004', ['replication', 'run', '--max-duration', 'long']],
    ['XC-1004', ['replication', 'run', '--max-lag', '5']],
    ['XC-1301', ['replication', 'run', '--window', '2026-02-01/2026-01-01']],
    ['XC-1301', ['replication', 'simulate', '--window', 'yesterday']],
    ['XC-1303', ['replication', 'run', '--plan', 'none.json']],
    ['XC-1305', ['replication', 'status', '--wait-for', 'lag smaller 5s']],
    ['XC-1006', ['replication', 'stop', '--link', 'shop:acme', '--confirm', TARGET_REGION]],
    ['XC-1001', ['replication', 'stop']],
    [
      'XC-1306',
      [
        'replication',
        'drop',
        '--link',
        `shop:acme:${SOURCE_REGION}:${TARGET_REGION}`,
        '--confirm',
        SOURCE_REGION,
      ],
    ],
  ];
  for (const [code, args] of cases) await refused({ code, exit: 2 }, args);
  await refused({ code: 'XC-1004', exit: 2 }, [
    'replication',
    'run',
    '--follow',
    '--metrics-addr',
    'nowhere',
  ]);
});
