/**
 * Signing through the program `cosign`, for keys that it alone reaches: those of key services, and any key where its
 * signing is wanted. It is asked for a signature of bytes, without a transparency log; bundles are made here, as for
 * other keys.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa, ExecaError } from 'execa';
import { XcError } from '../../core/errors/xc-error.ts';
import type { Signer } from '../../core/signing/signing.ts';
import { publicKeyOf } from './signing-key.ts';

/** Key services of cosign (its KMS documentation); their keys never leave them. */
const SERVICE = /^(awskms|gcpkms|azurekms|hashivault):\/\//;

export const isServiceKey = (reference: string): boolean => SERVICE.test(reference);

export interface CosignOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** Of a key file; handed over in the variable that cosign reads. */
  readonly passphrase?: string;
}

/** A key service may be slow; one that hangs is given up. */
const LIMIT_MS = 60_000;

/** @throws XcError XC-1406 without the program, XC-4010 where it fails, XC-1401 for a key that is no P-256 */
export const cosignSigner = async (reference: string, options: CosignOptions): Promise<Signer> => {
  const pem = await cosign(['public-key', '--key', reference], options);
  const key = publicKeyOf(pem, reference);
  return {
    keyId: key.keyId,
    publicKey: key.publicKey,
    async sign(bytes) {
      const signature = await signedBy(reference, bytes, options);
      if (!key.verify(bytes, signature))
        throw new XcError('XC-2030', { subject: reference, why: 'cosign gave a signature by another key' });
      return signature;
    },
  };
};

const signedBy = async (
  reference: string,
  bytes: Uint8Array,
  options: CosignOptions,
): Promise<Uint8Array> => {
  const directory = await mkdtemp(join(tmpdir(), 'xcrepl-cosign-'));
  try {
    const [blob, bundle] = [join(directory, 'blob'), join(directory, 'bundle')];
    await writeFile(blob, bytes, { mode: 0o600 });
    const withoutLog = [
      '--tlog-upload=false',
      // From version 3 on, a signing configuration would have to name a log.
      ...((await majorVersion(options)) >= 3 ? ['--use-signing-config=false'] : []),
    ];
    await cosign(
      ['sign-blob', '--yes', '--key', reference, ...withoutLog, '--bundle', bundle, blob],
      options,
    );
    return signatureIn(await readFile(bundle, 'utf8'), reference);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

/** A sigstore bundle (version 3), or cosign's own earlier form (version 2). */
const signatureIn = (text: string, reference: string): Uint8Array => {
  const bundle = JSON.parse(text) as {
    base64Signature?: string;
    messageSignature?: { signature?: string };
  };
  const signature = bundle.messageSignature?.signature ?? bundle.base64Signature;
  if (signature === undefined)
    throw new XcError('XC-2030', { subject: reference, why: 'cosign wrote a bundle without a signature' });
  return Buffer.from(signature, 'base64');
};

const majorVersion = async (options: CosignOptions): Promise<number> =>
  Number(/"gitVersion":\s*"v(\d+)/.exec(await cosign(['version', '--json'], options))?.[1] ?? 2);

const cosign = async (
  args: readonly string[],
  { env, cwd, signal, passphrase }: CosignOptions,
): Promise<string> => {
  try {
    const { stdout } = await execa('cosign', args, {
      cwd,
      env: { ...env, ...(passphrase === undefined ? {} : { COSIGN_PASSWORD: passphrase }) },
      extendEnv: false,
      cancelSignal: signal,
      timeout: LIMIT_MS,
      stdin: 'ignore',
    });
    return stdout;
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    if (error.code === 'ENOENT') throw new XcError('XC-1406', { subject: args.at(2) ?? 'cosign' });
    throw new XcError('XC-4011', {
      subject: `cosign ${args[0] ?? ''}`,
      why: (error.stderr ?? '').trim().split('\n').at(-1) || error.shortMessage,
    });
  }
};
