/** `xcrepl explain [CODE]`: what an error code means and what to do. */

import { codes, type XcCode } from '../core/errors/catalogue.ts';
import type { CodeEntry } from '../core/errors/code-entry.ts';
import { exitOf } from '../core/errors/exit.ts';
import { XcError } from '../core/errors/xc-error.ts';
import { leaf } from './frame/leaf.ts';
import type { CommandModule, Outcome } from './frame/host.ts';

export const explain: CommandModule = {
  command: (_host, finish) =>
    leaf({
      name: 'explain',
      about:
        'Explains one error code: what it means, what to do next, and the exit code that it gives. Without a code it lists them all.',
      examples: [
        ['xcrepl explain XC-1005', 'what a missing secret means'],
        ['xcrepl explain -o json', 'the whole catalogue for a program'],
      ],
    })
      .argument('[code]', 'the code as errors print it: XC-1005, or just 1005')
      .action((code) => finish(code === undefined ? everything() : one(code))),
};

const describe = (code: XcCode) => {
  const { title, means, next }: CodeEntry = codes[code];
  return { code, exit: exitOf(code), title, means, next };
};

const one = (text: string): Outcome => {
  const code = text.toUpperCase().replace(/^(XC-?)?/, 'XC-');
  if (!Object.hasOwn(codes, code))
    throw new XcError('XC-1001', {
      subject: `code ${text}`,
      why: 'no error has this code',
      next: 'xcrepl explain',
    });
  const entry = describe(code as XcCode);
  return {
    document: { schemaVersion: 1, ...entry },
    table: (paint) =>
      [
        paint.bold(`${entry.code} ${entry.title}`),
        entry.means,
        `next: ${entry.next}`,
        paint.dim(`exit code ${entry.exit}`),
      ].join('\n'),
  };
};

const everything = (): Outcome => {
  const entries = (Object.keys(codes) as XcCode[]).toSorted().map(describe);
  return {
    document: { schemaVersion: 1, codes: entries },
    records: entries,
    table: (paint) =>
      paint.table(
        ['code', 'exit', 'title'],
        entries.map(({ code, exit, title }) => [code, String(exit), title]),
      ),
  };
};
