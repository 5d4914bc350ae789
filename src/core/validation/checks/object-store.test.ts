import { expect, it } from 'vitest';
import type { Finding } from '../finding.ts';
import type { HttpAnswer, ObservedStore, SignedAnswer } from '../observed-service.ts';
import { checkStore } from './object-store.ts';

const answer = (status: number, headers: Record<string, string> = {}): HttpAnswer => ({
  kind: 'answer',
  status,
  headers,
});
const nobody: HttpAnswer = { kind: 'none', why: 'connect ECONNREFUSED' };
const brief = (row: Finding): string => `${row.verdict} ${row.severity}`;

const judge = (
  reply: HttpAnswer,
  kind: ObservedStore['kind'] = 's3',
  isNeeded = true,
  signed: SignedAnswer | null = null,
): Finding =>
  checkStore('us', { kind, bucket: 'b', endpoint: 'https://s3', answer: reply, signed }, isNeeded);

const refused = (behaviour: 'auth' | 'gone' | 'retry' | 'fatal', reply = answer(403)): Finding =>
  judge(reply, 's3', true, { kind: 'refused', behaviour, why: '…' });

it('never counts an unsigned request as authorised', () => {
  for (const status of [200, 204, 401, 403, 404, 301, 400, 500])
    expect(judge(answer(status)).verdict).not.toBe('pass');
  expect(judge(answer(403)).seen).toContain('reachable; not authorised (unsigned request');
  expect(brief(judge(answer(403)))).toBe('unknown info');
});

it('passes only where our credentials were let in, and nobody is without', () => {
  const listed = { kind: 'listed' } as const;
  expect(brief(judge(answer(403), 's3', true, listed))).toBe('pass info');
  expect(brief(judge(answer(404), 'azure', true, listed))).toBe('pass info');
  expect(brief(judge(answer(200), 's3', true, listed))).toBe('unknown warn');
});

it('tells refused credentials from a missing bucket and a store that is down', () => {
  expect(refused('auth')).toMatchObject({ verdict: 'fail', severity: 'block', code: 'XC-4101' });
  expect(refused('gone')).toMatchObject({ code: 'XC-5341', remedy: 'create b, or correct its name' });
  expect(refused('retry').code).toBe('XC-6015');
  expect(refused('fatal', answer(301, { 'x-amz-bucket-region': 'eu-west-1' })).remedy).toContain('eu-west-1');
  expect(brief(refused('fatal'))).toBe('fail block');
});

it('tells a missing bucket from a refusal and from nobody', () => {
  expect(judge(answer(404)).seen).toContain('no such bucket');
  expect(brief(judge(answer(404)))).toBe('fail block');
  expect(brief(judge(answer(404), 'azure'))).toBe('unknown info');
  expect(brief(judge(nobody))).toBe('fail block');
  expect(brief(judge(nobody, 's3', false))).toBe('fail warn');
});

it('names the region that a bucket is in', () => {
  expect(judge(answer(301, { 'x-amz-bucket-region': 'eu-west-1' }))).toMatchObject({
    remedy: 'set region: eu-west-1 for this object store',
  });
});
