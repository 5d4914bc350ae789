/** Conversations with a real server, recorded: a pipeline, errors, a COPY, a replication stream. */

import type { Socket } from 'node:net';
import { parseLsn, ZERO_LSN } from '../../src/core/change/lsn.ts';
import { makeTuplePlan } from '../../src/core/change/tuple-plan.ts';
import { fieldRedactor } from '../../src/core/policy/redactor.ts';
import { connect } from '../../src/providers/postgres/connect.ts';
import { relayCopy } from '../../src/providers/postgres/source/copy-relay.ts';
import { ReplicationStream } from '../../src/providers/postgres/source/replication-stream.ts';
import { binaryTransform } from '../../src/providers/postgres/source/row-transforms.ts';
import { WireConnection, type MessageReader } from '../../src/providers/postgres/wire/connection.ts';
import { exchange, simpleQuery } from '../../src/providers/postgres/wire/exchange.ts';
import { MessageWriter } from '../../src/providers/postgres/wire/messages.ts';
import { systemClock } from '../../src/providers/system/clock.ts';
import { makePair, type PairOptions } from '../harness/pair.ts';
import type { TestDatabase } from '../harness/test-database.ts';
import { CAPTURE_SQL, TRAFFIC } from './capture.ts';
import { routesOf, told, type Told } from './collected.ts';
import type { Conversation } from './wire.ts';

interface Script {
  readonly name: string;
  readonly replication?: true;
  /** Ours, against a real connection and against one that replays. */
  readonly run: (connection: WireConnection) => Promise<unknown>;
}

const never = new AbortController().signal;

export const recordConversations = async (
  options: Pick<PairOptions, 'pg'> = {},
): Promise<readonly Conversation[]> => {
  await using pair = await makePair({ fixture: 'empty', sql: CAPTURE_SQL, ...options });
  const { source } = pair;
  await source.query('CREATE PUBLICATION fuzz FOR TABLES IN SCHEMA app');
  await source.query(`SELECT pg_create_logical_replication_slot('fuzz', 'pgoutput')`);
  for (const sql of TRAFFIC) await source.query(sql);
  const [end] = await source.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn');
  await source.query(`INSERT INTO app.wide (id, c3) SELECT g, g FROM generate_series(100, 150) AS g`);
  const scripts: readonly Script[] = [pipeline, failing, warned, copying, streaming(end!.lsn)];
  const conversations: Conversation[] = [];
  for (const script of scripts) conversations.push(await record(source, script));
  await source.query(`SELECT pg_drop_replication_slot('fuzz')`);
  return conversations;
};

const record = async (db: TestDatabase, { name, replication, run }: Script): Promise<Conversation> => {
  const client = await connect(db.dsn, {
    subject: 'fuzz',
    ...(replication ? { replication: 'database' as const } : {}),
  });
  const socket = (client as unknown as { connection: { stream: Socket } }).connection.stream;
  const chunks: Buffer[] = [];
  await using connection = WireConnection.take(client);
  socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
  await run(connection);
  return { name, answer: withoutGoodbye(Buffer.concat(chunks)), read: ({ connection: fake }) => run(fake) };
};

/** What the server says once a stream's reader has left: a reader that is still there would take it for an end. */
const withoutGoodbye = (answer: Buffer): Buffer => {
  let at = 0;
  while (at < answer.length && (answer[at] !== COPY_DONE || answer[0] !== COPY_BOTH))
    at += 1 + answer.readUInt32BE(at + 1);
  return answer.subarray(0, at);
};
const COPY_DONE = 0x63;
const COPY_BOTH = 0x57;

const pipeline: Script = {
  name: 'a pipeline',
  async run(connection) {
    const writer = new MessageWriter();
    writer.parse('one', 'SELECT $1::int, NULL, $2::text UNION ALL SELECT 2, $3, repeat($2, 9)');
    writer.bind('one', ['1', 'ü', null], 'text').execute();
    writer.parse('two', 'UPDATE app.bare SET id = id').bind('two', [], 'text').execute();
    writer.describeStatement('two').closeStatement('two').sync();
    return await exchange(connection, writer.take());
  },
};

const failing: Script = {
  name: 'statements that fail',
  async run(connection) {
    const writer = new MessageWriter();
    writer.query('BEGIN').query('INSERT INTO app.bare SELECT id FROM app.bare LIMIT 1').query('ROLLBACK');
    const answer = await exchange(connection, writer.take(), 3);
    return { ...answer, error: answer.error?.message };
  },
};

const warned: Script = {
  name: 'a warning',
  run: (connection) => simpleQuery(connection, `DO 'BEGIN RAISE WARNING ''w''; END'`),
};

const COPY_ROWS = 51;

/** Takes whatever it is given, and says then that it was as many rows as the server has sent. */
const taker = (): WireConnection => {
  let reader: MessageReader | null = null;
  const answer = (type: number, text = ''): void => {
    const bytes = Buffer.from(`${text}\0`, 'latin1');
    reader?.message(type, bytes, 0, bytes.length);
  };
  const fake = {
    read: (next: MessageReader | null) => void (reader = next),
    send(bytes: Buffer) {
      if (bytes[0] === 0x51) answer(0x47);
      if (bytes[0] !== 0x63) return;
      answer(0x43, `COPY ${COPY_ROWS}`);
      answer(0x5a, 'T');
    },
    trySend: () => true,
    resume() {},
  };
  return fake as unknown as WireConnection;
};

const copying: Script = {
  name: 'a COPY of rows that are changed on their way',
  async run(connection) {
    const fields = ['id', 'c3'].map((name) => ({ name, redactor: fieldRedactor({ kind: 'allow' }) }));
    const plan = makeTuplePlan(fields, new Set(['id']));
    const transform = binaryTransform(plan, {
      field: null,
      links: new Map([['', 'rule:tenant:a:b' as never]]),
      counts: new Map(),
    });
    const sql = `COPY (SELECT id, c3 FROM app.wide WHERE id >= 100) TO STDOUT (FORMAT binary)`;
    return await relayCopy(connection, taker(), { source: sql, target: 'COPY' }, transform, never);
  },
};

const streaming = (until: string): Script => ({
  name: 'a replication stream',
  replication: true,
  async run(connection) {
    const all: Told[] = [];
    const options = { slot: 'fuzz', publications: ['fuzz'], from: ZERO_LSN, until: parseLsn(until) };
    const hooks = { routes: routesOf };
    await using stream = await ReplicationStream.open(connection, {
      ...options,
      binary: true,
      clock: systemClock,
      hooks,
    });
    for (;;) {
      const batch = await stream.next(5_000, never);
      if (batch === null) return all;
      if (batch !== 'idle') all.push(...told(batch));
    }
  },
});
