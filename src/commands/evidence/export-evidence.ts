/** One archive of a run. */

import { readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parseEntry } from '../../core/audit/entry.ts';
import { isErrno } from '../../core/errors/errno.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { EVIDENCE, sumsOf } from '../../core/report/evidence.ts';
import { packTar } from '../../providers/archive/tar.ts';
import { readLog } from '../../providers/audit-files/open-log.ts';
import { bundles } from '../../providers/cosign/bundles.ts';
import { writeDurably } from '../../providers/system/durable-file.ts';
import { findLog } from '../audit/open.ts';
import { included, newestHead } from '../audit/prove-from-log.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { signerFor, type KeyOptions } from '../policy/signer.ts';
import { configDirectory, trustedKeys } from '../policy/trusted-keys.ts';
import { CHECK_SCRIPT } from './check-script.ts';
import { readmeOf } from './readme.ts';

export interface ExportOptions extends KeyOptions {
  readonly out?: string | undefined;
  readonly reportDir: string;
}

/** @throws XcError XC-1006 for a run that is not here, XC-5602 and XC-5603 for a log that cannot prove anything */
export const exportEvidence = async (host: Host, run: string, options: ExportOptions): Promise<Outcome> => {
  const files = new Map<string, Buffer>();
  await addRun(host, run, options.reportDir, files);
  await addProofs(host, run, files);
  await addKeys(host, files);
  const { config } = await host.config();
  const signs = options.key !== undefined || config.cosign !== undefined;
  const signer = signs ? await signerFor(host, options) : null;
  if (signer) files.set(`${EVIDENCE.keys}exporter.pub`, Buffer.from(signer.publicKey));
  files.set(EVIDENCE.script, Buffer.from(CHECK_SCRIPT));
  files.set(EVIDENCE.readme, Buffer.from(readmeOf(run, [...files.keys()], signer !== null)));
  const all = new Map([...files].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const sums = Buffer.from(sumsOf(all));
  all.set(EVIDENCE.sums, sums);
  if (signer) all.set(EVIDENCE.signature, Buffer.from(await bundles.signBlob(sums, signer)));
  const out = options.out ?? `evidence-${run}.tar`;
  if (!host.flags.dryRun) await writeDurably(resolve(host.cwd, out), packTar(all));
  return {
    document: {
      schemaVersion: 1,
      run,
      bundle: out,
      files: [...all.keys()],
      keyId: signer?.keyId ?? null,
      ...(host.flags.dryRun ? { dryRun: true } : {}),
    },
    table: () =>
      `${host.flags.dryRun ? 'would write' : 'written'}: ${out}, ${all.size} files${signer ? `, signed by ${signer.keyId}` : ', without a signature'}`,
  };
};

const addRun = async (
  host: Host,
  run: string,
  reportDir: string,
  files: Map<string, Buffer>,
): Promise<void> => {
  const state = resolve(host.cwd, '.xcrepl', 'runs', basename(run));
  const reports = resolve(host.cwd, reportDir, basename(run));
  const add = async (name: string, path: string): Promise<void> => {
    const bytes = await readIfThere(path);
    if (bytes) files.set(name, bytes);
  };
  await add(EVIDENCE.plan, join(state, 'plan.json'));
  if (!files.has(EVIDENCE.plan))
    throw new XcError('XC-1006', { subject: `run ${run}`, why: `there is no ${join(state, 'plan.json')}` });
  await add(EVIDENCE.journal, join(state, 'journal.ndjson'));
  await add(EVIDENCE.report, join(reports, 'report.json'));
  await add('report.md', join(reports, 'report.md'));
  const approvals = join(state, 'approvals');
  for (const name of await readdir(approvals).catch((): string[] => []))
    await add(`${EVIDENCE.approvals}${name}`, join(approvals, name));
};

const readIfThere = async (path: string): Promise<Buffer | null> => {
  try {
    return await readFile(path);
  } catch (error) {
    if (isErrno(error) && error.code === 'ENOENT') return null;
    throw error;
  }
};

/** A proof for each entry of the run, and for those that came with its rows. */
const addProofs = async (host: Host, run: string, files: Map<string, Buffer>): Promise<void> => {
  const known = await findLog(host);
  if (!known) return;
  const head = await newestHead(known);
  for await (const { number, bytes } of readLog(known.path).entries()) {
    if (number >= head.checkpoint.size) break;
    if (parseEntry(bytes)?.run !== run) continue;
    files.set(`${EVIDENCE.proofs}${number}.tlog-proof`, Buffer.from(await included(known, head, number)));
  }
  files.set(EVIDENCE.logKey, await readFile(join(known.path, 'log-key.pub')));
};

const addKeys = async (host: Host, files: Map<string, Buffer>): Promise<void> => {
  const loaded = await host.config();
  for (const { name, key } of await trustedKeys(
    loaded.config.signing,
    configDirectory(loaded.path, host.cwd),
  ))
    files.set(`${EVIDENCE.keys}${name}.pub`, Buffer.from(key.publicKey));
};
