/** Writes reports/precheck.{json,md}, and precheck_block.txt exactly when the decision is BLOCK. */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { precheckBlockText, precheckMarkdown, type PrecheckReport } from '../../core/report/precheck.ts';
import { guarded, writeDurably } from '../../providers/system/durable-file.ts';

/** @returns paths of what was written @throws XcError XC-6002 */
export const writeReports = async (
  directory: string,
  report: PrecheckReport,
  redact: (text: string) => string,
): Promise<string[]> => {
  const blockPath = join(directory, 'precheck_block.txt');
  const files: [path: string, text: string][] = [
    [join(directory, 'precheck.json'), `${JSON.stringify(report, null, 2)}\n`],
    [join(directory, 'precheck.md'), precheckMarkdown(report)],
    ...(report.decision === 'BLOCK' ? [[blockPath, precheckBlockText(report)] as [string, string]] : []),
  ];
  // A block of an earlier check must not outlive it, nor be there before its reasons are.
  if (report.decision !== 'BLOCK') await guarded(blockPath, () => rm(blockPath, { force: true }));
  for (const [path, text] of files) await writeDurably(path, redact(text));
  return files.map(([path]) => path);
};
