/**
 * Appends to a log, three entries at a time, until the disk has refused five times in a row. Tells on stdout what is
 * durable, as "NUMBER SUBJECT", and each refusal as "refused CODE".
 *
 *   node test/audit/filling-process.ts DIRECTORY KEY-FILE
 */

import { readFileSync, writeSync } from 'node:fs';
import { isXcError } from '../../src/core/errors/xc-error.ts';
import { openTestLog } from './open-test-log.ts';

const [path = '', keyFile = ''] = process.argv.slice(2);
const ROUNDS = 2000;
const REFUSALS = 5;

await using log = openTestLog(path, readFileSync(keyFile, 'utf8'));
let refused = 0;
for (let round = 0; round < ROUNDS && refused < REFUSALS; round++) {
  const subjects = [0, 1, 2].map((at) => `${round}-${at}${'.'.repeat((round * 37) % 300)}`);
  try {
    const numbers = await log.append(subjects.map((subject) => ({ action: 'test.append', subject })));
    writeSync(1, subjects.map((subject, at) => `${numbers[at]} ${subject}\n`).join(''));
    refused = 0;
  } catch (error) {
    writeSync(1, `refused ${isXcError(error) ? error.code : String(error)}\n`);
    refused++;
  }
}
