/** Turns an outcome into the text of standard output, in the form that --output names. */

import type { GlobalFlags, Outcome } from '../frame/host.ts';
import type { Redactor } from '../frame/redactor.ts';

export interface RenderOptions {
  readonly output: GlobalFlags['output'];
  readonly color: boolean;
  readonly redactor: Redactor;
}

/** @returns text with its trailing newline, or nothing when the command has nothing to say in this form */
export const renderOutcome = async (outcome: Outcome, options: RenderOptions): Promise<string> => {
  const { output, color, redactor } = options;
  if (output === 'table') {
    const { createPainter } = await import('./painter.ts');
    return endLine(redactor.text(await outcome.table(await createPainter(color))));
  }
  const document = versioned(redactor.value(outcome.document));
  if (output === 'json') return `${JSON.stringify(document, null, 2)}\n`;
  if (output === 'ndjson')
    return (outcome.records ?? [outcome.document])
      .map((record) => `${JSON.stringify(versioned(redactor.value(record)))}\n`)
      .join('');
  const { stringify } = await import('yaml');
  return endLine(stringify(JSON.parse(JSON.stringify(document))));
};

const endLine = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);

const versioned = (document: object): object =>
  'schemaVersion' in document ? document : { schemaVersion: 1, ...document };
