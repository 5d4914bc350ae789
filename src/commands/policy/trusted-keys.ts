/** The public keys that the configuration trusts, read from their files. */

import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Config } from '../../core/config/schema.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import type { PublicKey } from '../../core/signing/signing.ts';
import { publicKeyOf } from '../../providers/cosign/signing-key.ts';

export type KeyScope = NonNullable<Config['signing']>['publicKeys'][string]['scopes'][number];

export interface TrustedKey {
  /** Under signing.publicKeys. */
  readonly name: string;
  readonly key: PublicKey;
  readonly scopes: readonly KeyScope[];
}

/** Where relative paths of a configuration start. */
export const configDirectory = (path: string | null, cwd: string): string =>
  path === null ? cwd : dirname(path);

/** @throws XcError XC-1013, XC-1401, XC-1407 */
export const trustedKeys = async (
  signing: Config['signing'],
  directory: string,
): Promise<readonly TrustedKey[]> =>
  await Promise.all(
    Object.entries(signing?.publicKeys ?? {}).map(async ([name, { file, scopes }]) => {
      const path = resolve(directory, file);
      const pem = await readFile(path, 'utf8').catch((error: unknown) => {
        throw new XcError('XC-1013', {
          subject: `signing.publicKeys.${name}: ${file}`,
          why: error instanceof Error ? error.message : String(error),
        });
      });
      return { name, key: publicKeyOf(pem, file), scopes };
    }),
  );

export const namesOf = (keys: readonly TrustedKey[], scope: KeyScope): ReadonlyMap<string, string> =>
  new Map(keys.filter(({ scopes }) => scopes.includes(scope)).map(({ key, name }) => [key.keyId, name]));
