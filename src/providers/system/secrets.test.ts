import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isXcError } from '../../core/errors/xc-error.ts';
import { resolveSecret, type SecretContext } from './secrets.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'xcrepl-secrets-'));
  await writeFile(join(directory, 'dsn'), 'postgres://u:planted@h/d\n');
  await writeFile(join(directory, 'empty'), '\n');
});
afterAll(() => rm(directory, { recursive: true }));

const context = (over: Partial<SecretContext> = {}): SecretContext => ({
  env: { DSN: 'postgres://env', BLANK: '', PATH: process.env['PATH'] },
  directory,
  signal: new AbortController().signal,
  vault: () => Promise.reject(new Error('not asked for')),
  ...over,
});

const codeOf = async (reference: string, over?: Partial<SecretContext>): Promise<string> => {
  try {
    return `gave ${await resolveSecret(reference, context(over))}`;
  } catch (error) {
    if (!isXcError(error)) throw error;
    expect(error.message).not.toContain('planted');
    return error.code;
  }
};

test('env, file and cmd', async () => {
  expect(await resolveSecret('env:DSN', context())).toBe('postgres://env');
  expect(await resolveSecret('file:dsn', context())).toBe('postgres://u:planted@h/d');
  expect(await resolveSecret(`file:${join(directory, 'dsn')}`, context())).toBe('postgres://u:planted@h/d');
  expect(await resolveSecret('cmd:cat dsn | tr a-z A-Z', context())).toBe('POSTGRES://U:PLANTED@H/D');
});

test('what points to nothing is XC-1005 and never shows a value', async () => {
  expect(await codeOf('env:NOT_SET')).toBe('XC-1005');
  expect(await codeOf('env:BLANK')).toBe('XC-1005');
  expect(await codeOf('file:nowhere')).toBe('XC-1005');
  expect(await codeOf('file:dsn/below')).toBe('XC-1005');
  expect(await codeOf('file:empty')).toBe('XC-1005');
  expect(await codeOf('cmd:cat dsn; exit 3')).toBe('XC-1005');
  expect(await codeOf('postgres://u:planted@h/d')).toBe('XC-1004');
});

test('a command is stopped with the run', async () => {
  const controller = new AbortController();
  const waiting = resolveSecret('cmd:touch started; sleep 600; true', context({ signal: controller.signal }));
  const outcome = waiting.then(String, String);
  while (!existsSync(join(directory, 'started'))) await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort(new Error('stopped'));
  expect(await outcome).toBe('Error: stopped');
});

describe('vault', () => {
  let server: Server;
  let address: string;
  /** Answers by path, as Vault's API documents them. */
  const answers: Record<string, [status: number, body: unknown]> = {
    '/v1/sys/internal/ui/mounts/secret/eu': [200, { data: { path: 'secret/', options: { version: '2' } } }],
    '/v1/sys/internal/ui/mounts/secret/data/eu': [
      200,
      { data: { path: 'secret/', options: { version: '2' } } },
    ],
    '/v1/secret/data/eu': [200, { data: { data: { dsn: 'planted-v2' }, metadata: { version: 3 } } }],
    '/v1/sys/internal/ui/mounts/kv/eu': [200, { data: { path: 'kv/', options: null } }],
    '/v1/kv/eu': [200, { data: { dsn: 'planted-v1' } }],
    '/v1/sys/internal/ui/mounts/closed/eu': [403, {}],
    '/v1/closed/eu': [403, { errors: ['permission denied'] }],
    '/v1/sealed/eu': [503, { errors: ['Vault is sealed'] }],
  };
  const seen: string[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push(`${request.headers['x-vault-token'] as string} ${request.url}`);
      const [status, body] = answers[request.url ?? ''] ?? [404, { errors: [] }];
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  const inVault = (): Partial<SecretContext> => ({ vault: () => Promise.resolve({ address, token: 'tk' }) });

  test('reads version 2 and version 1 of the KV engine', async () => {
    expect(await resolveSecret('vault:secret/eu#dsn', context(inVault()))).toBe('planted-v2');
    expect(await resolveSecret('vault:secret/data/eu#dsn', context(inVault()))).toBe('planted-v2');
    expect(await resolveSecret('vault:kv/eu#dsn', context(inVault()))).toBe('planted-v1');
    expect(seen).toContain('tk /v1/secret/data/eu');
  });

  test('says what is wrong by its code', async () => {
    expect(await codeOf('vault:secret/eu#nokey', inVault())).toBe('XC-1005');
    expect(await codeOf('vault:nowhere/eu#dsn', inVault())).toBe('XC-1005');
    expect(await codeOf('vault:closed/eu#dsn', inVault())).toBe('XC-4002');
    expect(await codeOf('vault:sealed/eu#dsn', inVault())).toBe('XC-6001');
    expect(
      await codeOf('vault:kv/eu#dsn', {
        vault: () => Promise.resolve({ address: 'http://127.0.0.1:1', token: 't' }),
      }),
    ).toBe('XC-6001');
  });
});
