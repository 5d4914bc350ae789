/** Resolves secret references for the host: where relative paths start, and how Vault is reached, come from here. */

import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { LoadedConfig } from '../../core/config/loaded.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { readTextNow } from '../../providers/system/files.ts';
import { resolveSecret, type SecretContext, type VaultAccess } from '../../providers/system/secrets.ts';

export interface SecretParts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** The configuration, if this run has loaded it. */
  readonly loaded: LoadedConfig | undefined;
  /** Called with every value that must not be shown. */
  readonly hide: (value: string) => void;
}

/** @throws XcError XC-1005 and what Vault gives */
export const secretValue = async (reference: string, parts: SecretParts): Promise<string> => {
  const { env, cwd, signal, loaded, hide } = parts;
  const context: SecretContext = {
    env,
    directory: loaded?.path ? dirname(loaded.path) : cwd,
    signal,
    vault: () => vaultAccess(parts, context),
  };
  const value = await resolveSecret(reference, context);
  hide(value);
  return value;
};

/** Where Vault is and with which token: configuration first, then the variables of the `vault` command. */
const vaultAccess = async (parts: SecretParts, context: SecretContext): Promise<VaultAccess> => {
  const settings = parts.loaded?.config.vault;
  const noLoop: SecretContext = {
    ...context,
    vault: () =>
      Promise.reject(new XcError('XC-1002', { subject: 'vault', why: 'its own token is in Vault' })),
  };
  const deref = (value: string): Promise<string> | string =>
    /^(env|file|cmd|vault):/.test(value) ? resolveSecret(value, noLoop) : value;
  const address = settings ? await deref(settings.address) : parts.env['VAULT_ADDR'];
  if (!address) throw new XcError('XC-1005', { subject: 'VAULT_ADDR', why: 'a vault: reference needs it' });
  const token = settings?.token ? await deref(settings.token) : ambientToken(parts.env);
  if (!token)
    throw new XcError('XC-1005', { subject: 'VAULT_TOKEN', why: 'a vault: reference needs a token' });
  parts.hide(token);
  const namespace = parts.env['VAULT_NAMESPACE'];
  return { address, token, ...(namespace ? { namespace } : {}) };
};

/** The variable, else the file that `vault login` writes. */
const ambientToken = (env: SecretParts['env']): string | undefined =>
  env['VAULT_TOKEN'] || readTextNow(join(homedir(), '.vault-token'))?.trim() || undefined;
