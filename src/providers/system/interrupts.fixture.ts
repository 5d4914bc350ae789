/** Says what it is told, and does not end at the first interruption. Its clock moves only after the word "later". */

import { writeSync } from 'node:fs';
import { watchInterrupts } from './interrupts.ts';

const say = (text: string): void => void writeSync(1, `${text} `);

let nowMs = 0;
watchInterrupts(
  {
    first: (name) => {
      say(`first ${name}`);
      setTimeout(() => {
        nowMs = 1000;
        say('later');
      }, 200);
    },
    second: (name) => say(`second ${name}`),
  },
  () => nowMs,
);
setInterval(() => undefined, 1000);
say('ready');
