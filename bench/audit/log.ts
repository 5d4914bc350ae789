/** The log under writers, and verified. */

import { generateKeyPairSync } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { inclusionProof } from '../../src/core/audit/merkle.ts';
import { nodesFromTiles } from '../../src/core/audit/tiles.ts';
import type { AuditEvent, AuditLog } from '../../src/core/audit/log.ts';
import { verifyLog } from '../../src/core/audit/verify.ts';
import { openAuditLog, readLog } from '../../src/providers/audit-files/open-log.ts';
import { noteSigner, noteVerifier, publicKeyOf, signerOf } from '../../src/providers/cosign/signing-key.ts';
import { takeLock } from '../../src/providers/lab/file-lock.ts';

const ORIGIN = 'xcrepl/bench/0';
const signer = signerOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
const verifiers = [noteVerifier(ORIGIN, publicKeyOf(signer.publicKey, 'bench'))];

const open = (path: string): AuditLog =>
  openAuditLog({
    path,
    controlPlane: 'bench',
    origin: ORIGIN,
    actor: 'bench@host',
    keys: { signer: noteSigner(ORIGIN, signer), verifiers },
    clock: { nowMs: () => Date.now(), sleep: () => Promise.resolve() },
    lock: (lockPath) => ({
      take: async () => {
        await mkdir(path, { recursive: true });
        await takeLock(lockPath);
        return { [Symbol.asyncDispose]: () => rm(lockPath, { force: true }) };
      },
    }),
  });

const event = (number: number): AuditEvent => ({
  action: 'replication.run-end',
  subject: `rn_01J0000000000000000${number}`,
  run: `rn_01J0000000000000000${number}`,
  facts: { outcome: 'done', exit: 0, copiedRows: number },
});

export interface Rate {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Each writer waits until its entry is durable before it writes the next. */
export const appendRate = async (path: string, writers: number, seconds: number): Promise<Rate> => {
  await using log = open(path);
  await log.append([event(0)]);
  const took: number[] = [];
  const endMs = performance.now() + seconds * 1000;
  const begunMs = performance.now();
  const writer = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const at = performance.now();
      await log.append([event(took.length)]);
      took.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
  const passed = (performance.now() - begunMs) / 1000;
  took.sort((a, b) => a - b);
  const at = (part: number): number => took[Math.floor(took.length * part)] ?? 0;
  return { perSecond: took.length / passed, p50Ms: at(0.5), p99Ms: at(0.99) };
};

const GROUP = 4096;

/** A log of so many entries, with its checkpoint. */
export const openBenchLog = async (path: string, entries: number): Promise<void> => {
  await using log = open(path);
  for (let at = 0; at < entries; at += GROUP)
    await log.append(Array.from({ length: Math.min(GROUP, entries - at) }, (_, of) => event(at + of)));
  await log.publish();
};

export const verifySeconds = async (path: string): Promise<number> => {
  const begunMs = performance.now();
  const { verdict } = await verifyLog(readLog(path), verifiers, []);
  if (verdict !== 'pass') throw new Error('the log does not verify');
  return (performance.now() - begunMs) / 1000;
};

/** From an entry that is appended to its proof, in milliseconds. */
export const proveNewest = async (path: string): Promise<number> => {
  await using log = open(path);
  // Taking up a log reads it: that is the start of a command, and not of a proof.
  await log.append([event(0)]);
  const begunMs = performance.now();
  const [number] = await log.append([event(1)]);
  const { checkpoint } = await log.publish();
  const reader = readLog(path);
  await inclusionProof(
    number!,
    checkpoint.size,
    nodesFromTiles(checkpoint.size, async (tile) => (await reader.readTile(tile))!),
  );
  return performance.now() - begunMs;
};
