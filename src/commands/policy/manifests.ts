/** Reads the signed manifests that a configuration names, and puts what they say into force. */

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import canonicalize from 'canonicalize';
import { isErrno } from '../../core/errors/errno.ts';
import { isXcError, XcError } from '../../core/errors/xc-error.ts';
import type { LoadedConfig, ManifestInForce } from '../../core/config/loaded.ts';
import { manifestName, parseManifest, withManifests, type Manifest } from '../../core/policy/manifest.ts';
import { spokenOf } from '../../core/policy/manifest-memory.ts';
import { countApprovals } from '../../core/policy/gates/approval.ts';
import { checkPointer, parsePointer } from '../../core/signing/pointer.ts';
import { bundles } from '../../providers/cosign/bundles.ts';
import { approvalFilesBeside, readApprovals } from './approvals.ts';
import { knownVersions } from './known-versions.ts';
import { configDirectory, trustedKeys, type TrustedKey } from './trusted-keys.ts';

export const pointerPath = (file: string): string => `${file}.latest.json`;

interface Surroundings {
  readonly cwd: string;
  readonly nowMs: number;
}

/**
 * @throws XcError XC-2034 and XC-2039 to XC-2042 for a manifest that is not in force, XC-1403 for one that is malformed.
 * In simulation a missing signature is allowed, and gate P2 says so.
 */
export const inForce = async <L extends LoadedConfig>(loaded: L, around: Surroundings): Promise<L> => {
  const { signing } = loaded.config;
  if (signing?.manifests === undefined) return loaded;
  const base = configDirectory(loaded.path, around.cwd);
  const directory = resolve(base, signing.manifests);
  const files = await manifestFiles(directory);
  const keys = await trustedKeys(signing, base);
  const read = await Promise.all(files.map((file) => readOne(file, loaded, keys, around)));
  const config = withManifests(loaded.config, read);
  const digest = createHash('sha256')
    .update(canonicalize(config) ?? '')
    .digest('hex');
  return { ...loaded, config, digest: `sha256:${digest}`, manifests: read.map((one) => one.inForce) };
};

/** Only YAML: what lies beside a manifest (signature, pointer, approvals) is JSON. */
export const manifestFiles = async (directory: string): Promise<string[]> => {
  try {
    const names = await readdir(directory);
    return names
      .filter((name) => /\.ya?ml$/.test(name))
      .toSorted()
      .map((name) => join(directory, name));
  } catch (error) {
    throw new XcError('XC-1013', {
      subject: `signing.manifests: ${directory}`,
      why: isErrno(error) ? error.message : String(error),
    });
  }
};

interface Read {
  readonly file: string;
  readonly manifest: Manifest;
  readonly inForce: ManifestInForce;
}

const readOne = async (
  file: string,
  { config: { signing }, mode }: LoadedConfig,
  keys: readonly TrustedKey[],
  { cwd, nowMs }: Surroundings,
): Promise<Read> => {
  const bytes = await readFile(file);
  const manifest = parseManifest(bytes.toString(), file);
  const id = manifestName(manifest);
  const about = {
    id,
    name: `${manifest.kind} manifest ${id.slice(id.indexOf('/') + 1)}`,
    file,
    tenant: manifest.kind === 'tenant' ? Object.keys(manifest.tenant)[0]! : null,
    speaksOf: spokenOf(manifest),
    version: manifest.version,
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
  };
  const signers = keys.filter(({ scopes }) => scopes.includes('manifest'));
  try {
    const signer = await signerOfManifest(file, bytes, signers);
    const found = { name: id, version: about.version, digest: about.digest };
    await checkLatest(file, found, signers, knownVersions(cwd)[id], nowMs);
    const approval = {
      required: signing?.approvals?.required ?? 1,
      keys: 0,
      // A manifest stays in force until its pointer expires, and so does what was said of it.
      requester: signer.key.keyId,
      given: await readApprovals(await approvalFilesBeside(file), keys),
    };
    const approved = countApprovals({ ...INTENT, digest: about.digest, nowMs }, approval).names;
    return {
      file,
      manifest,
      inForce: {
        ...about,
        signedBy: signer.name,
        problem: null,
        scopes: signer.scopes,
        approved: approved.length >= approval.required,
      },
    };
  } catch (error) {
    if (mode !== 'simulation' || !isXcError(error, 'XC-2034', 'XC-2042')) throw error;
    const problem = error.why ?? error.title;
    return { file, manifest, inForce: { ...about, signedBy: null, problem, scopes: [], approved: false } };
  }
};

const INTENT = {
  kind: 'manifest',
  subject: '',
  environment: 'production',
  mode: 'live',
  destroys: [],
} as const;

const readBeside = async (path: string, what: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!isErrno(error) || error.code !== 'ENOENT') throw error;
    throw new XcError('XC-2034', { subject: path, why: `there is no ${what}` });
  }
};

/** @throws XcError XC-2034, XC-2030, XC-2042 */
const signerOfManifest = async (
  file: string,
  bytes: Buffer,
  signers: readonly TrustedKey[],
): Promise<TrustedKey> => {
  const path = `${file}.sigstore.json`;
  const { keyId } = await named(path, () =>
    readBeside(path, 'signature').then((text) =>
      bundles.verify(
        text,
        bytes,
        signers.map(({ key }) => key),
      ),
    ),
  );
  return signers.find(({ key }) => key.keyId === keyId)!;
};

const checkLatest = async (
  file: string,
  found: { readonly name: string; readonly version: number; readonly digest: string },
  signers: readonly TrustedKey[],
  known: Parameters<typeof checkPointer>[2],
  nowMs: number,
): Promise<void> => {
  const path = pointerPath(file);
  const { payload, payloadType } = await named(path, async () =>
    bundles.verify(
      await readBeside(path, 'pointer'),
      null,
      signers.map(({ key }) => key),
    ),
  );
  checkPointer(parsePointer(payload, payloadType, path), found, known, nowMs);
};

/** Which file it was that does not verify. */
const named = async <T>(subject: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (!isXcError(error)) throw error;
    throw new XcError(error.code, {
      subject,
      ...(error.why === undefined ? {} : { why: error.why }),
      cause: error,
    });
  }
};
