import { describe, expect, test } from 'vitest';
import { XcError } from '../errors/xc-error.ts';
import { formatLsn } from './lsn.ts';
import { decodeMessage, type PgoutputHandler } from './pgoutput.ts';

/** Bytes of a message from numbers, texts (with their terminating zero) and integers of a size. */
const bytes = (
  ...parts: (string | Buffer | readonly [value: number | bigint, size: 1 | 2 | 4 | 8])[]
): Buffer =>
  Buffer.concat(
    parts.map((part) => {
      if (Buffer.isBuffer(part)) return part;
      if (typeof part === 'string') return Buffer.from(part, 'utf8');
      const [value, size] = part;
      const buffer = Buffer.alloc(8);
      buffer.writeBigInt64BE(BigInt(value));
      return buffer.subarray(8 - size);
    }),
  );

const field = (text: string): Buffer => bytes('b', [Buffer.byteLength(text), 4], text);
const tuple = (...fields: (string | null | undefined)[]): Buffer =>
  bytes(
    [fields.length, 2],
    ...fields.map((one) => (one === null ? 'n' : one === undefined ? 'u' : field(one))),
  );

interface Seen {
  readonly what: string;
  readonly facts: readonly unknown[];
}

/** Reads every tuple, as the collector does. */
const watcher = (): { seen: Seen[]; handler: PgoutputHandler } => {
  const seen: Seen[] = [];
  const note = (what: string, ...facts: unknown[]): void => void seen.push({ what, facts });
  return {
    seen,
    handler: {
      begin: (lsn, micros, xid) => note('begin', formatLsn(lsn), micros, xid),
      commit: (lsn, end, micros) => note('commit', formatLsn(lsn), formatLsn(end), micros),
      origin: (name) => note('origin', name),
      relation: (relation) => note('relation', relation),
      insert: (relation, _bytes, at) => note('insert', relation, at),
      update: (relation, _bytes, kind, old, at) => note('update', relation, kind, old, at),
      delete: (relation, _bytes, kind, old) => note('delete', relation, kind, old),
      truncate: (relations) => note('truncate', relations),
      message: (transactional, lsn, prefix, content) =>
        note('message', transactional, formatLsn(lsn), prefix, Buffer.from(content).toString()),
    },
  };
};

const decode = (message: Buffer): Seen[] => {
  const { seen, handler } = watcher();
  decodeMessage(message, 0, message.length, handler);
  return seen;
};

const messages: Readonly<Record<string, Buffer>> = {
  begin: bytes('B', [0x1_0000_0020n, 8], [-5n, 8], [77, 4]),
  commit: bytes('C', [0, 1], [0x20, 8], [0x30, 8], [1_000_000, 8]),
  origin: bytes('O', [0x10, 8], 'xcrepl_s_0\0'),
  relation: bytes(
    'R',
    [9, 4],
    'sch\0',
    'täble\0',
    'd',
    [2, 2],
    [1, 1],
    'id\0',
    [23, 4],
    [-1, 4],
    [0, 1],
    'v\0',
    [25, 4],
    [44, 4],
  ),
  insert: bytes('I', [9, 4], 'N', tuple('1', null, 'x'.repeat(300))),
  updatePlain: bytes('U', [9, 4], 'N', tuple('1', undefined)),
  updateKey: bytes('U', [9, 4], 'K', tuple('1', null), 'N', tuple('2', 'v')),
  updateFull: bytes('U', [9, 4], 'O', tuple('1', 'old'), 'N', tuple('1', undefined)),
  deleteKey: bytes('D', [9, 4], 'K', tuple('1', null)),
  truncate: bytes('T', [2, 4], [3, 1], [9, 4], [10, 4]),
  message: bytes('M', [1, 1], [0x40, 8], 'xcrepl\0', [6, 4], 'marker'),
};

describe('pgoutput', () => {
  test('reads every kind of message', () => {
    expect(decode(messages['begin']!)).toEqual([{ what: 'begin', facts: ['1/20', -5, 77] }]);
    expect(decode(messages['commit']!)).toEqual([{ what: 'commit', facts: ['0/20', '0/30', 1_000_000] }]);
    expect(decode(messages['origin']!)).toEqual([{ what: 'origin', facts: ['xcrepl_s_0'] }]);
    expect(decode(messages['relation']!)).toEqual([
      {
        what: 'relation',
        facts: [
          {
            oid: 9,
            schema: 'sch',
            name: 'täble',
            identity: 'd',
            columns: [
              { name: 'id', typeOid: 23, typeModifier: -1, key: true },
              { name: 'v', typeOid: 25, typeModifier: 44, key: false },
            ],
          },
        ],
      },
    ]);
    expect(decode(messages['insert']!)).toEqual([{ what: 'insert', facts: [9, 6] }]);
    expect(decode(messages['updatePlain']!)).toEqual([{ what: 'update', facts: [9, null, -1, 6] }]);
    expect(decode(messages['updateKey']!)).toEqual([{ what: 'update', facts: [9, 'K', 6, 16] }]);
    expect(decode(messages['deleteKey']!)).toEqual([{ what: 'delete', facts: [9, 'K', 6] }]);
    expect(decode(messages['truncate']!)).toEqual([{ what: 'truncate', facts: [[9, 10]] }]);
    expect(decode(messages['message']!)).toEqual([
      { what: 'message', facts: [true, '0/40', 'xcrepl', 'marker'] },
    ]);
  });

  test.each(Object.keys(messages))('%s cut short anywhere is a typed error', (name) => {
    const whole = messages[name]!;
    for (let length = 0; length < whole.length; length++) {
      const { handler } = watcher();
      // The bytes behind the end are another message's: they must not be read.
      expect(() => decodeMessage(whole, 0, length, handler), `${name} cut to ${length} bytes`).toThrow(
        XcError,
      );
    }
  });

  test('a mutated message is a typed error or a message, never another failure', () => {
    let state = 20_261_120;
    const next = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state % below;
    };
    const failures: unknown[] = [];
    for (let round = 0; round < 20_000; round++) {
      const names = Object.keys(messages);
      const mutated = Buffer.from(messages[names[next(names.length)]!]!);
      for (let flips = 1 + next(4); flips > 0; flips--) mutated[next(mutated.length)] = next(256);
      try {
        decode(mutated);
      } catch (error) {
        failures.push(error);
      }
    }
    expect(failures.length).toBeGreaterThan(1_000);
    expect(failures.filter((error) => !(error instanceof XcError) || error.code !== 'XC-5201')).toEqual([]);
  });
});
