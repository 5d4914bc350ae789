/** Verifies one file. */

import { isXcError, XcError } from '../../core/errors/xc-error.ts';
import { bundles } from '../../providers/cosign/bundles.ts';
import { publicKeyOf } from '../../providers/cosign/signing-key.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { readGiven } from '../read-given.ts';

export interface VerifyOptions {
  readonly key: readonly string[];
  readonly bundle?: string | undefined;
}

/** @throws XcError XC-2030 naming the bundle */
export const verifyFile = async (host: Host, file: string, options: VerifyOptions): Promise<Outcome> => {
  const bundle = options.bundle ?? `${file}.sigstore.json`;
  const keys = await Promise.all(
    options.key.map(async (path) => ({
      path,
      key: publicKeyOf((await readGiven(host, path)).toString(), path),
    })),
  );
  const blob = await readGiven(host, file);
  const text = (await readGiven(host, bundle)).toString();
  const { keyId } = await bundles
    .verify(
      text,
      blob,
      keys.map(({ key }) => key),
    )
    .catch((error: unknown) => {
      if (!isXcError(error)) throw error;
      throw new XcError(error.code, {
        subject: bundle,
        ...(error.why === undefined ? {} : { why: error.why }),
        cause: error,
      });
    });
  const by = keys.find(({ key }) => key.keyId === keyId)!.path;
  return {
    document: { schemaVersion: 1, file, bundle, holds: true, keyId, key: by },
    table: (paint) => `${paint.good('holds')}: ${file} was signed by ${by} (key id ${keyId})`,
  };
};
