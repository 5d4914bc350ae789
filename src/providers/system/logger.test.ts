import { expect, test } from 'vitest';
import { createLogger } from './logger.ts';

const logger = (verbose: boolean) => {
  const lines: string[] = [];
  const log = createLogger({
    verbose,
    context: { run: 'rn_1' },
    redact: (text) => text.replaceAll('planted', '***'),
    write: (line) => void lines.push(line),
  });
  return { log, lines };
};

test('a line is one JSON object with level, time, context and event', () => {
  const { log, lines } = logger(false);
  log.warn('slot is far behind', { slot: 'xcrepl_s_1', bytes: 12 });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/\}\n$/);
  expect(JSON.parse(lines[0]!)).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
    run: 'rn_1',
    event: 'slot is far behind',
    slot: 'xcrepl_s_1',
    bytes: 12,
  });
});

test('secrets are taken out by the name of their field and by their value', () => {
  const { log, lines } = logger(false);
  log.error('login with planted failed', { dsn: 'postgres://x', at: { password: 'other' } });
  expect(lines[0]).not.toMatch(/planted|postgres:\/\/x|other/);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    event: 'login with *** failed',
    dsn: '***',
    at: { password: '***' },
  });
});

test('details only when asked for', () => {
  const { log, lines } = logger(false);
  log.debug('keepalive');
  expect(lines).toEqual([]);
  const chatty = logger(true);
  chatty.log.debug('keepalive');
  expect(chatty.lines).toHaveLength(1);
});
