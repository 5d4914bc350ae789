/**
 * Evidence of a run, checked with nothing but the bundle: each claim with what proves it, or why it is not proved. Whoever
 * made the bundle could have made another one; what keeps them from that is named too.
 */

import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { parseEntry, type AuditEntry } from '../audit/entry.ts';
import type { NoteVerifier } from '../audit/note.ts';
import { judgeProof, logOf } from '../audit/proof.ts';
import { isXcError } from '../errors/xc-error.ts';
import { digest } from '../plan/basis.ts';
import type { Plan } from '../plan/plan.ts';
import { parsePlan } from '../run/plan-file.ts';
import { approvalOf } from '../signing/approval-statement.ts';
import type { Bundles, PublicKey } from '../signing/signing.ts';

/** Names in the bundle. */
export const EVIDENCE = {
  readme: 'README.md',
  script: 'check.py',
  sums: 'SHA256SUMS',
  signature: 'SHA256SUMS.sigstore.json',
  plan: 'plan.json',
  journal: 'journal.ndjson',
  report: 'report.json',
  logKey: 'audit/log-key.pub',
  proofs: 'audit/',
  approvals: 'approvals/',
  keys: 'keys/',
} as const;

export type Files = ReadonlyMap<string, Buffer>;

export interface Claim {
  readonly claim: string;
  readonly verdict: 'pass' | 'fail' | 'unknown';
  readonly why: string;
}

export interface EvidencePorts {
  readonly bundles: Bundles;
  readonly keyOf: (pem: string, name: string) => PublicKey;
  readonly verifierOf: (origin: string, key: PublicKey) => NoteVerifier;
  /** Keys that whoever verifies trusts by their own knowledge. */
  readonly trusted: readonly PublicKey[];
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** As `sha256sum` prints it: whoever has that program checks the files with it. */
export const sumsOf = (files: Files): string =>
  [...files]
    .filter(([name]) => name !== EVIDENCE.sums && name !== EVIDENCE.signature)
    .map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`)
    .join('');

const pass = (claim: string, why: string): Claim => ({ claim, verdict: 'pass', why });
const fail = (claim: string, why: string): Claim => ({ claim, verdict: 'fail', why });
const unknown = (claim: string, why: string): Claim => ({ claim, verdict: 'unknown', why });

export const verifyEvidence = async (files: Files, ports: EvidencePorts): Promise<readonly Claim[]> => {
  const plan = planOf(files);
  const entries = new Map<number, AuditEntry>();
  const proofs = checkProofs(files, ports, entries);
  const approvable = typeof plan === 'string' ? [] : [plan.digest, ...approvedBefore(plan, entries)];
  return [
    checkSums(files),
    await checkSignature(files, ports),
    typeof plan === 'string'
      ? fail('the plan is whole', plan)
      : pass('the plan is whole', `its digest is ${plan.digest}`),
    ...(await checkApprovals(files, approvable, ports)),
    ...proofs,
    ...(typeof plan === 'string' ? [] : checkRun(files, plan, [...entries.values()])),
    unknown(
      'the log has no other version elsewhere',
      'a bundle cannot show this; compare the checkpoint in its proofs with the anchors in the regions (xcrepl audit verify)',
    ),
  ];
};

const planOf = (files: Files): Plan | string => {
  const bytes = files.get(EVIDENCE.plan);
  if (!bytes) return 'it is missing';
  try {
    return parsePlan(bytes.toString(), EVIDENCE.plan);
  } catch (error) {
    return isXcError(error) ? error.message : String(error);
  }
};

const checkSums = (files: Files): Claim => {
  const claim = 'no file was changed, added or taken out';
  const said = files.get(EVIDENCE.sums)?.toString();
  if (said === undefined) return fail(claim, `${EVIDENCE.sums} is missing`);
  if (said === sumsOf(files)) return pass(claim, `${said.split('\n').length - 1} checksums`);
  const own = new Set(sumsOf(files).split('\n'));
  const other = new Set(said.split('\n'));
  const names = [...own.symmetricDifference(other)].map((line) => line.slice(66));
  return fail(claim, [...new Set(names)].filter((name) => name !== '').join(', ') || 'the order differs');
};

const checkSignature = async (files: Files, ports: EvidencePorts): Promise<Claim> => {
  const claim = 'a known key exported it';
  const bundle = files.get(EVIDENCE.signature);
  if (!bundle) return unknown(claim, 'it was exported without a signature');
  const sums = files.get(EVIDENCE.sums) ?? Buffer.alloc(0);
  try {
    const own = keysOf(files, ports);
    const { keyId } = await ports.bundles.verify(bundle.toString(), sums, [...ports.trusted, ...own]);
    return ports.trusted.some((key) => key.keyId === keyId)
      ? pass(claim, `signed by ${keyId}, which was given as trusted`)
      : unknown(
          claim,
          `signed by ${keyId}, whose public key came in the bundle; give it with --key if you know it`,
        );
  } catch (error) {
    return fail(claim, isXcError(error) ? error.message : String(error));
  }
};

const keysOf = (files: Files, { keyOf }: EvidencePorts): PublicKey[] =>
  [...files]
    .filter(([name]) => name.startsWith(EVIDENCE.keys))
    .map(([name, pem]) => keyOf(pem.toString(), name));

/** What was left of a plan that was cut short has a digest of its own; the log names the one that was approved. */
const approvedBefore = (plan: Plan, entries: ReadonlyMap<number, AuditEntry>): string[] =>
  [...entries.values()]
    .filter(({ action, plan: id }) => action === 'replication.run-begin' && id === plan.id)
    .flatMap(({ facts }) => (typeof facts['approvedDigest'] === 'string' ? [facts['approvedDigest']] : []));

const checkApprovals = async (
  files: Files,
  digests: readonly string[],
  ports: EvidencePorts,
): Promise<readonly Claim[]> => {
  const given = [...files].filter(([name]) => name.startsWith(EVIDENCE.approvals));
  if (given.length === 0) return [];
  const keys = [...ports.trusted, ...keysOf(files, ports)];
  return await Promise.all(
    given.map(async ([name, text]): Promise<Claim> => {
      const claim = `${name} approves this plan`;
      try {
        const verified = await ports.bundles.verify(text.toString(), null, keys);
        const approval = approvalOf(verified, new Map(), name);
        return digests.includes(approval.digest)
          ? pass(claim, `signed by ${approval.keyId}`)
          : fail(claim, `it approves ${approval.digest}`);
      } catch (error) {
        return fail(claim, isXcError(error) ? error.message : String(error));
      }
    }),
  );
};

const checkProofs = (
  files: Files,
  ports: EvidencePorts,
  entries: Map<number, AuditEntry>,
): readonly Claim[] => {
  const pem = files.get(EVIDENCE.logKey);
  const proofs = [...files].filter(
    ([name]) => name.startsWith(EVIDENCE.proofs) && name.endsWith('.tlog-proof'),
  );
  const claim = 'the entries of the run are in the audit log';
  if (!pem || proofs.length === 0) return [fail(claim, 'there is no proof of one')];
  const key = ports.keyOf(pem.toString(), EVIDENCE.logKey);
  const wrong = proofs.flatMap(([name, bytes]) => {
    const text = bytes.toString();
    const origin = logOf(text);
    const judged = judgeProof(text, origin === null ? [] : [ports.verifierOf(origin, key)]);
    if (!judged.holds) return [`${name}: ${judged.why}`];
    const entry = judged.entry === undefined ? null : parseEntry(Buffer.from(judged.entry));
    if (!entry) return [`${name}: it proves no entry`];
    entries.set(Number(/(\d+)\.tlog-proof$/.exec(name)?.[1] ?? -1), entry);
    return [];
  });
  return [
    wrong.length > 0 ? fail(claim, wrong.join('; ')) : pass(claim, `${proofs.length} proofs of inclusion`),
  ];
};

/** Plan, journal and report are those that the log speaks of. */
const checkRun = (files: Files, plan: Plan, entries: readonly AuditEntry[]): readonly Claim[] => {
  const begin = entries.find(({ action }) => action === 'replication.run-begin');
  const end = entries.find(({ action }) => action === 'replication.run-end');
  const claims: Claim[] = [];
  const planned = 'the plan is the one that was run';
  if (!begin) claims.push(unknown(planned, 'no proved entry tells of the beginning'));
  else
    claims.push(
      begin.plan === plan.id && begin.facts['planDigest'] === plan.digest
        ? pass(planned, `entry of ${begin.at} by ${begin.actor}`)
        : fail(planned, `the log tells of ${String(begin.facts['planDigest'])}`),
    );
  const reported = 'the report is the one that the run ended with';
  const report = files.get(EVIDENCE.report);
  if (!end || !report)
    claims.push(unknown(reported, end ? 'there is no report' : 'no proved entry tells of the end'));
  else {
    const own = digest(JSON.parse(report.toString()));
    claims.push(
      end.after === own
        ? pass(reported, `outcome ${String(end.facts['outcome'])}, ${own}`)
        : fail(reported, `the log tells of ${end.after ?? 'none'}, and this is ${own}`),
    );
  }
  const journal = 'the journal is the one that the run wrote';
  const lines =
    files
      .get(EVIDENCE.journal)
      ?.toString()
      .split('\n')
      .filter((line) => line !== '') ?? [];
  const parsed = lines.map((line) => JSON.parse(line) as { run?: string });
  const said = end?.facts['journal'];
  claims.push(
    said === undefined
      ? unknown(journal, 'no proved entry tells of the journal')
      : digest(parsed) === said
        ? pass(journal, `${lines.length} lines, ${said}`)
        : fail(journal, `the log tells of ${String(said)}`),
  );
  return claims;
};
