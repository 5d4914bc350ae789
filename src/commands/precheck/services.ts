/** Registry, Vault, keys, object stores and directories: each looked at on its own, each a row. */

import { resolve } from 'node:path';
import type { LoadedConfig } from '../../core/config/loaded.ts';
import { isXcError } from '../../core/errors/xc-error.ts';
import { checkCosignKey, checkRegistry, checkVault } from '../../core/validation/checks/services.ts';
import type { Finding } from '../../core/validation/finding.ts';
import type { HttpAsk } from '../../core/validation/observed-service.ts';
import { observeKeyFile } from '../../providers/cosign/key-file.ts';
import { httpAsk } from '../../providers/http/ask.ts';
import { registryHealth } from '../../providers/registry-health/health.ts';
import { vaultHealth } from '../../providers/vault/health.ts';
import type { Host } from '../frame/host.ts';
import { askAt, baseOf, directoryFinding, late } from './asking.ts';
import { within, type Deadline } from './deadline.ts';
import { storeFinding } from './object-store.ts';

const STATE_DIRECTORY = '.xcrepl';

export const serviceFindings = async (
  host: Host,
  loaded: LoadedConfig,
  deadline: Deadline,
): Promise<Finding[]> => {
  const { config } = loaded;
  const ask = guardedAsk(deadline);
  const stores = Object.entries(config.regions).flatMap(([region, { objects }]) =>
    objects ? [storeFinding({ host, loaded, region, ask, deadline }, objects)] : [],
  );
  const keys = Object.entries(config.hashKeys).map(([name, reference]) =>
    hashKeyFinding(host, name, reference, deadline),
  );
  return Promise.all([
    registryFinding(host, loaded, ask, deadline),
    vaultFinding(host, loaded, ask, deadline),
    cosignFinding(host, loaded, deadline),
    directoryFinding('state-directory', resolve(host.cwd, STATE_DIRECTORY), deadline),
    ...keys,
    ...stores,
  ]);
};

/** A name that hangs in the resolver is found out before this process asks for it. */
const guardedAsk = (deadline: Deadline): HttpAsk => {
  const ask = httpAsk(deadline.total);
  return async (request) => {
    const name = URL.canParse(request.url)
      ? await deadline.lookup(new URL(request.url).hostname)
      : ({ kind: 'found' } as const);
    return name.kind === 'found' ? ask(request) : { kind: 'none', why: name.why };
  };
};

const registryFinding = async (
  host: Host,
  { config, mode }: LoadedConfig,
  ask: HttpAsk,
  deadline: Deadline,
): Promise<Finding> => {
  const { registry } = config;
  if (registry === 'none') return checkRegistry({ kind: 'declared-none' }, mode);
  if (!registry) return checkRegistry({ kind: 'unset' }, mode);
  const asked = await askAt(host, registry.url, deadline, (url) => registryHealth(url, ask));
  return checkRegistry({ kind: 'asked', ...asked }, mode);
};

const vaultFinding = async (
  host: Host,
  { config, mode }: LoadedConfig,
  ask: HttpAsk,
  deadline: Deadline,
): Promise<Finding> => {
  if (!config.vault) return checkVault(null, mode);
  const { url, answer } = await askAt(host, config.vault.address, deadline, (url) => vaultHealth(url, ask));
  return checkVault({ address: url, answer }, mode);
};

const cosignFinding = async (host: Host, loaded: LoadedConfig, deadline: Deadline): Promise<Finding> => {
  const { config, mode } = loaded;
  if (!config.cosign) return checkCosignKey(null, mode);
  // The variable goes before the file (DESIGN, "Configuration").
  const fromEnvironment = Boolean(host.env['COSIGN_KEY_PATH']);
  const path = resolve(fromEnvironment ? host.cwd : baseOf(host, loaded), config.cosign.key);
  return late('cosign-key', path, deadline, async () => checkCosignKey(await observeKeyFile(path), mode));
};

const hashKeyFinding = async (
  host: Host,
  name: string,
  reference: string,
  deadline: Deadline,
): Promise<Finding> => {
  const row = { check: 'hash-key', subject: `hashKeys.${name}` };
  try {
    const bytes = Buffer.byteLength(await within(deadline.reach, host.secret(reference)));
    if (bytes >= MIN_KEY_BYTES)
      return { ...row, verdict: 'pass', severity: 'info', seen: 'resolves, and is long enough' };
    return {
      ...row,
      verdict: 'fail',
      severity: 'block',
      seen: `has ${bytes} bytes; at least ${MIN_KEY_BYTES} are needed`,
      remedy: `openssl rand -hex 32, stored where ${reference.split(':')[0]}:… points`,
      code: 'XC-2005',
    };
  } catch (error) {
    if (!isXcError(error) && !deadline.reach.aborted) throw error;
    return {
      ...row,
      verdict: isXcError(error) ? 'fail' : 'unknown',
      severity: 'block',
      seen: isXcError(error) ? error.message : 'no answer within the time allowed',
      remedy: isXcError(error) ? error.next : 'give a longer --timeout',
      code: isXcError(error) ? error.code : 'XC-5340',
    };
  }
};

/** As the row policy demands (core/policy/row-policy.ts). */
const MIN_KEY_BYTES = 16;
