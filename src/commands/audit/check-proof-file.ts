/** A proof and a public key, and nothing else. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { judgeProof, logOf } from '../../core/audit/proof.ts';
import { parseEntry } from '../../core/audit/entry.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { noteVerifier, publicKeyOf } from '../../providers/cosign/signing-key.ts';
import type { Host, Outcome } from '../frame/host.ts';

export const checkProofFile = async (host: Host, file: string, keyFile: string): Promise<Outcome> => {
  const proof = await read(host, file);
  const key = publicKeyOf(await read(host, keyFile), keyFile);
  const origin = logOf(proof);
  const judged = judgeProof(proof, origin === null ? [] : [noteVerifier(origin, key)]);
  if (!judged.holds) throw new XcError('XC-5604', { subject: file, why: judged.why });
  const { checkpoint, first } = judged;
  const entry = judged.entry === undefined ? undefined : parseEntry(Buffer.from(judged.entry));
  const says = first
    ? `the log of ${first.size} entries is the beginning of that of ${checkpoint.size}`
    : `the entry is in the log of ${checkpoint.size} entries`;
  return {
    document: {
      schemaVersion: 1,
      file,
      holds: true,
      log: checkpoint.origin,
      size: checkpoint.size,
      ...(first ? { firstSize: first.size } : { entry }),
    },
    table: (paint) =>
      [
        `${paint.good('holds')}: ${says} of ${checkpoint.origin}`,
        ...(entry ? [`${entry.at} ${entry.actor} ${entry.action} ${entry.subject}`] : []),
      ].join('\n'),
  };
};

const read = async (host: Host, file: string): Promise<string> => {
  try {
    return await readFile(resolve(host.cwd, file), 'utf8');
  } catch (error) {
    throw new XcError('XC-1003', {
      subject: file,
      why: error instanceof Error ? error.message : String(error),
    });
  }
};
