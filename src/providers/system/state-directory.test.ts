import { existsSync } from 'node:fs';
import { appendFile, chmod, mkdtemp, readdir, readFile, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { config, facts, wish } from '../../core/plan/facts.fixture.ts';
import { makePlan } from '../../core/plan/make-plan.ts';
import { isUnfinished, type JournalEntry } from '../../core/run/journal.ts';
import { guarded, writeDurably } from './durable-file.ts';
import { openStateDirectory } from './state-directory.ts';

const of = config();
const plan = makePlan(facts(of), wish(of), { id: 'pl_1', nowMs: 0 });
const entry = (seq: number, step: string, event: JournalEntry['event']): JournalEntry => ({
  schemaVersion: 1,
  seq,
  at: '2026-01-01T00:00:00.000Z',
  run: 'rn_1',
  plan: 'pl_1',
  step,
  kind: 'copy-table',
  stream: 'a',
  subject: 'shop.orders',
  event,
  attempt: 1,
});

let place: string;
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'xcrepl-state-'));
});
afterEach(() => rm(place, { recursive: true, force: true }));

const open = () => openStateDirectory(join(place, '.xcrepl'));
const journalPath = () => join(place, '.xcrepl', 'runs', 'rn_1', 'journal.ndjson');

describe('a run in the state directory', () => {
  it('is read back with its plan and every entry', async () => {
    const state = await open();
    const journal = await state.begin('rn_1', plan);
    await journal.append(entry(1, 's1', 'started'));
    await journal.append(entry(2, 's1', 'done'));
    const stored = await (await open()).read('rn_1');
    expect(stored).toEqual({
      run: 'rn_1',
      plan,
      entries: [entry(1, 's1', 'started'), entry(2, 's1', 'done')],
    });
    expect(isUnfinished(stored!)).toBe(true);
    expect(await state.runs()).toEqual(['rn_1']);
    expect(await state.read('rn_2')).toBeNull();
  });

  it('tolerates a torn last line, at every length of it', async () => {
    const state = await open();
    const journal = await state.begin('rn_1', plan);
    await journal.append(entry(1, 's1', 'started'));
    const whole = await readFile(journalPath(), 'utf8');
    const second = JSON.stringify(entry(2, 's1', 'done'));
    for (let length = 0; length < second.length; length += 1) {
      await writeFile(journalPath(), whole + second.slice(0, length));
      expect((await state.read('rn_1'))?.entries).toEqual([entry(1, 's1', 'started')]);
    }
  });

  it('refuses damage in the middle, and entries of a newer version', async () => {
    const state = await open();
    await state.begin('rn_1', plan);
    await appendFile(journalPath(), `{"seq":1\n${JSON.stringify(entry(2, 's1', 'done'))}\n`);
    await expect(state.read('rn_1')).rejects.toMatchObject({ code: 'XC-6002' });
    await writeFile(journalPath(), `${JSON.stringify({ ...entry(1, 's1', 'done'), schemaVersion: 2 })}\n`);
    await expect(state.read('rn_1')).rejects.toMatchObject({ code: 'XC-3012' });
  });

  it('writes over what an append left torn', async () => {
    const state = await open();
    const journal = await state.begin('rn_1', plan);
    await journal.append(entry(1, 's1', 'started'));
    await appendFile(journalPath(), '{"torn');
    await journal.append(entry(2, 's1', 'done'));
    expect((await state.read('rn_1'))?.entries.map(({ seq }) => seq)).toEqual([1, 2]);
  });
});

describe('the state directory', () => {
  it('refuses a newer major version, and leaves it untouched', async () => {
    await mkdir(join(place, '.xcrepl'));
    const text = '{"schemaVersion":2,"more":"kept"}';
    await writeFile(join(place, '.xcrepl', 'state.json'), text);
    await expect(open()).rejects.toMatchObject({ code: 'XC-3012' });
    expect(await readFile(join(place, '.xcrepl', 'state.json'), 'utf8')).toBe(text);
  });

  it('leaves no temporary file behind', async () => {
    const state = await open();
    await state.savePlan(plan);
    await state.savePlan(plan);
    expect(await readdir(join(place, '.xcrepl', 'plans'))).toEqual(['pl_1.json']);
    expect(existsSync(state.planPath('pl_1'))).toBe(true);
  });

  it('says what could not be written and why', async () => {
    await writeFile(join(place, 'file'), '');
    await expect(openStateDirectory(join(place, 'file', '.xcrepl'))).rejects.toMatchObject({
      code: 'XC-6002',
    });
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    await expect(guarded('/x', () => Promise.reject(full))).rejects.toMatchObject({
      code: 'XC-6002',
      subject: '/x',
      why: 'no space left on the device (ENOSPC)',
    });
  });

  it('keeps the old file when the new one cannot be written', async () => {
    const path = join(place, 'a', 'kept.json');
    await writeDurably(path, 'old');
    await chmod(path, 0o444);
    await expect(writeDurably(join(path, 'below'), 'new')).rejects.toMatchObject({ code: 'XC-6002' });
    expect(await readFile(path, 'utf8')).toBe('old');
  });
});
