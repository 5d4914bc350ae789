/** `--plan FILE`: exactly what was reviewed runs, or nothing does. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePair, type Pair } from '../harness/pair.ts';
import { tableDigest } from '../harness/table-digest.ts';
import { TARGET_REGION } from '../servers/server-pair.ts';
import { expectRefusal } from './refusal.ts';
import { withoutHistory } from './server-history.ts';
import { bothStates } from './server-state.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await makePair({ tenants: ['acme', 'initech'], scale: 0.02 });
  expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
});
afterAll(() => pair[Symbol.asyncDispose]());

const simulate = async (file: string, ...more: readonly string[]): Promise<string> => {
  const made = await pair.xcrepl(['replication', 'simulate', '--out', file, '-o', 'json', ...more]);
  expect(made.exitCode, made.stderr).toBe(0);
  const text = await readFile(join(pair.directory, file), 'utf8');
  expect(JSON.parse(text)).toEqual(made.json());
  return text;
};

const run = (file: string) => pair.xcrepl(['replication', 'run', '--plan', file, '-o', 'json']);

test('a plan that was edited, whatever in it', async () => {
  const text = await simulate('plan.json', '--tenant', 'acme');
  const plan = JSON.parse(text) as { steps: object[]; expiresAt: string; wish: object };
  const edits: Record<string, unknown> = {
    'another tenant’s rows': JSON.parse(text.replaceAll('"acme"', '"initech"')),
    'another link': JSON.parse(text.replaceAll(':acme:', ':initech:')),
    'a step left out': { ...plan, steps: plan.steps.slice(1) },
    'a longer life': { ...plan, expiresAt: '2999-01-01T00:00:00.000Z' },
    'another wish': { ...plan, wish: { ...plan.wish, strict: true } },
  };
  const before = withoutHistory(await bothStates(pair));
  for (const [what, edited] of Object.entries(edits)) {
    await writeFile(join(pair.directory, 'edited.json'), JSON.stringify(edited));
    const error = expectRefusal(await run('edited.json'), {
      code: 'XC-3003',
      exit: 8,
      says: ['edited.json'],
    });
    expect(error.next, what).toContain('xcrepl replication simulate');
  }
  // Only its content counts, not how it is laid out.
  await writeFile(join(pair.directory, 'compact.json'), JSON.stringify(JSON.parse(text)));
  expect((await pair.xcrepl(['replication', 'run', '--plan', 'compact.json', '--dry-run'])).exitCode).toBe(0);
  expect(withoutHistory(await bothStates(pair))).toEqual(before);
});

test('what is no plan', async () => {
  const text = await simulate('plan.json', '--tenant', 'acme');
  const files: Record<string, string> = {
    'no JSON': text.slice(0, -40),
    'a list': '[]',
    'of a newer version': text.replace('"schemaVersion": 1', '"schemaVersion": 2'),
    'an unknown step': text.replace('"kind": "create-slot"', '"kind": "drop-database"'),
    'an unknown key': text.replace('"kind": "replicate"', '"kind": "replicate", "extra": 1'),
    empty: '',
  };
  for (const content of Object.values(files)) {
    await writeFile(join(pair.directory, 'none.json'), content);
    expectRefusal(await run('none.json'), { code: 'XC-1303', exit: 2, says: ['none.json'] });
  }
});

test('a plan whose ground has moved: a schema, the configuration, a link', async () => {
  await simulate('schema.json', '--tenant', 'acme');
  await simulate('configuration.json', '--tenant', 'acme');
  for (const side of [pair.source, pair.target])
    await side.query('ALTER TABLE shop.orders ADD COLUMN more int');
  const before = withoutHistory(await bothStates(pair));
  expectRefusal(await run('schema.json'), {
    code: 'XC-3001',
    exit: 8,
    says: ['schema', 'xcrepl replication simulate'],
  });
  await pair.configure((config) => ({
    ...config,
    rules: (config.rules ?? []).map((rule) => ({ ...rule, verify: 'full' as const })),
  }));
  expectRefusal(await run('configuration.json'), {
    code: 'XC-3001',
    exit: 8,
    says: ['configuration has changed'],
  });
  expect(withoutHistory(await bothStates(pair))).toEqual(before);
});

test('a plan runs as reviewed, goes on with it, and is stale once there is more to do', async () => {
  await simulate('acme.json', '--tenant', 'acme');
  await simulate('both.json');
  const first = await run('acme.json');
  expect(first.exitCode, first.stderr).toBe(0);
  interface Steps {
    readonly steps: readonly { readonly id: string; readonly kind: string }[];
  }
  const names = ({ steps }: Steps) => steps.map(({ id, kind }) => `${id} ${kind}`);
  const reviewed = JSON.parse(await readFile(join(pair.directory, 'acme.json'), 'utf8')) as Steps & {
    id: string;
  };
  const report = first.json() as Steps & { plan: string };
  expect(report.plan).toBe(reviewed.id);
  expect(names(report)).toEqual(names(reviewed));
  expect(await tableDigest(pair.target, 'shop.orders')).toEqual(
    await tableDigest(pair.source, 'shop.orders', `tenant_id = 'acme'`),
  );
  expect((await run('acme.json')).exitCode).toBe(0);
  // Made when nothing streamed: now it would have to join a running stream, which nobody reviewed.
  expectRefusal(await run('both.json'), { code: 'XC-3001', exit: 8 });
});
