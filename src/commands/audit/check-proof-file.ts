/** A proof and a public key, and nothing else. */

import { judgeProof, logOf } from '../../core/audit/proof.ts';
import { parseEntry } from '../../core/audit/entry.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { noteVerifier, publicKeyOf } from '../../providers/cosign/signing-key.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { readGiven } from '../read-given.ts';

export const checkProofFile = async (host: Host, file: string, keyFile: string): Promise<Outcome> => {
  const proof = (await readGiven(host, file)).toString();
  const key = publicKeyOf((await readGiven(host, keyFile)).toString(), keyFile);
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
