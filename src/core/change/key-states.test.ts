import { expect, test } from 'vitest';
import { KeyStates } from './key-states.ts';

test('a key has one state, whatever owners and other keys there are, batch after batch', () => {
  const keys = new KeyStates();
  for (const count of [3, 5_000, 40, 0, 5_000]) {
    keys.reset(count);
    const texts = Array.from({ length: count }, (_, at) => `${'k'.repeat(at % 3)}${at % 1_700}`);
    const bytes = Buffer.from(texts.join(''), 'latin1');
    const states = new Map<string, number>();
    const wrong: string[] = [];
    let end = 0;
    for (const [at, text] of texts.entries()) {
      const [owner, start] = [at % 2, end];
      end = start + text.length;
      const state = keys.at(owner, bytes, start, end);
      const known = states.get(`${owner} ${text}`);
      if (state !== (known ?? states.size) || keys.what[state] !== (known === undefined ? 0 : 1))
        wrong.push(`${owner} ${text}`);
      states.set(`${owner} ${text}`, state);
      keys.what[state] = 1;
    }
    expect(wrong).toEqual([]);
    expect(keys.size).toBe(states.size);
  }
});
