/**
 * Appends to a log until it is killed: sixteen writers, and a checkpoint now and then. Each entry that is durable is
 * told on stdout, as "NUMBER SUBJECT", before anything else is done.
 *
 *   node test/audit/writing-process.ts DIRECTORY KEY-FILE NAME
 */

import { readFileSync, writeSync } from 'node:fs';
import { setImmediate as immediately } from 'node:timers/promises';
import { openTestLog } from './open-test-log.ts';

const [path = '', keyFile = '', name = ''] = process.argv.slice(2);
const WRITERS = 16;
const ENTRIES_A_CHECKPOINT = 150;

const log = openTestLog(path, readFileSync(keyFile, 'utf8'));
let made = 0;

const writer = async (): Promise<void> => {
  for (;;) {
    const subjects = Array.from({ length: 1 + (made % 3) }, () => `${name} ${made++}`);
    const numbers = await log.append(subjects.map((subject) => ({ action: 'test.append', subject })));
    writeSync(1, subjects.map((subject, at) => `${numbers[at]} ${subject}\n`).join(''));
  }
};

const publisher = async (): Promise<void> => {
  for (let next = ENTRIES_A_CHECKPOINT; ;) {
    await immediately();
    if (made < next) continue;
    next = made + ENTRIES_A_CHECKPOINT;
    await log.publish();
  }
};

await Promise.all([...Array.from({ length: WRITERS }, writer), publisher()]);
