/** Checks of the services and files that the configuration names beside its databases. */

import type { Finding } from '../finding.ts';
import type { HttpAnswer, ObservedDirectory, ObservedKeyFile } from '../observed-service.ts';

type Seen = Partial<Finding> & Pick<Finding, 'seen'>;

const row = (check: string, subject: string, seen: Seen): Finding => ({
  check,
  subject,
  verdict: 'pass',
  severity: 'info',
  ...seen,
});

export type RegistryState =
  | { readonly kind: 'declared-none' }
  | { readonly kind: 'unset' }
  | { readonly kind: 'asked'; readonly url: string; readonly answer: HttpAnswer };

/** A configured registry that is down always blocks; an unset one blocks a live run only. */
export const checkRegistry = (state: RegistryState, mode: 'live' | 'simulation'): Finding => {
  if (state.kind === 'declared-none')
    return row('registry', 'global registry', { seen: 'there is none, as the configuration says' });
  if (state.kind === 'unset')
    return row('registry', 'global registry', {
      verdict: 'fail',
      severity: mode === 'live' ? 'block' : 'info',
      seen: 'neither a URL nor "registry: none" is configured',
      remedy: 'set GLOBAL_REGISTRY_URL or registry.url, or say registry: none',
      code: 'XC-5342',
    });
  const { answer, url } = state;
  if (answer.kind === 'answer' && answer.status >= 200 && answer.status < 300)
    return row('registry', url, { seen: `healthy (HTTP ${answer.status})` });
  return row('registry', url, {
    verdict: 'fail',
    severity: 'block',
    seen: answer.kind === 'none' ? answer.why : `HTTP ${answer.status}`,
    remedy: 'bring the registry up, or correct its URL; a configured registry that is down always blocks',
    code: 'XC-6015',
  });
};

/** Status codes of GET /v1/sys/health: Vault HTTP API, "/sys/health". */
const VAULT_STATES: Readonly<Record<number, string>> = {
  200: 'active and unsealed',
  429: 'unsealed standby',
  472: 'disaster-recovery secondary',
  473: 'unsealed performance standby',
  501: 'not initialised',
  503: 'sealed',
};
const VAULT_UP = new Set([200, 429, 473]);

export const checkVault = (
  vault: { readonly address: string; readonly answer: HttpAnswer } | null,
  mode: 'live' | 'simulation',
): Finding => {
  if (!vault) return row('vault', 'Vault', { verdict: 'unknown', seen: 'not configured' });
  const { answer, address } = vault;
  const seen = answer.kind === 'none' ? answer.why : (VAULT_STATES[answer.status] ?? `HTTP ${answer.status}`);
  if (answer.kind === 'answer' && VAULT_UP.has(answer.status)) return row('vault', address, { seen });
  return row('vault', address, {
    verdict: 'fail',
    severity: mode === 'live' ? 'block' : 'warn',
    seen,
    remedy:
      answer.kind === 'answer' && answer.status === 503
        ? 'vault operator unseal'
        : 'check VAULT_ADDR and the server',
    code: 'XC-6015',
  });
};

export const checkCosignKey = (key: ObservedKeyFile | null, mode: 'live' | 'simulation'): Finding => {
  if (!key) return row('cosign-key', 'cosign key', { verdict: 'unknown', seen: 'not configured' });
  const fail = (severity: Finding['severity'], seen: string, remedy: string): Finding =>
    row('cosign-key', key.path, { verdict: 'fail', severity, seen, remedy, code: 'XC-5341' });
  const grave = mode === 'live' ? 'block' : 'warn';
  if (!key.file)
    return fail(
      grave,
      'no such file',
      'correct cosign.key or COSIGN_KEY_PATH, or make a key with cosign generate-key-pair',
    );
  if (!key.file.isFile) return fail(grave, 'it is no file', 'name the private key file');
  const mode8 = key.file.mode.toString(8).padStart(3, '0');
  if (!key.file.readable)
    return fail(grave, `present, but not readable (mode ${mode8})`, `chown it to the user that runs xcrepl`);
  if ((key.file.mode & 0o077) !== 0)
    return fail('warn', `mode ${mode8}: others than its owner can reach it`, `chmod 600 '${key.path}'`);
  if (!key.file.looksLikeKey)
    return fail(
      'warn',
      'readable, but no PEM private key',
      'name the file that cosign generate-key-pair wrote (cosign.key)',
    );
  return row('cosign-key', key.path, { seen: `present and readable, mode ${mode8}` });
};

/** Less free space than this and a journal or spill file may fail in the middle. */
const LITTLE_BYTES = 64 * 2 ** 20;

export const checkDirectory = (check: string, directory: ObservedDirectory): Finding => {
  const { path, existing, freeBytes } = directory;
  const fail = (severity: Finding['severity'], seen: string, remedy: string): Finding =>
    row(check, path, { verdict: 'fail', severity, seen, remedy, code: 'XC-6002' });
  if (!directory.isDirectory) return fail('block', `${existing} is no directory`, 'move the file away');
  if (!directory.writable)
    return fail(
      'block',
      `${existing} is not writable`,
      `make '${existing}' writable for the user that runs xcrepl`,
    );
  if (freeBytes === 0) return fail('block', 'the disk is full', 'free space on the volume');
  if (freeBytes !== null && freeBytes < LITTLE_BYTES)
    return fail('warn', `only ${Math.floor(freeBytes / 2 ** 20)} MiB free`, 'free space on the volume');
  const made = existing === path ? 'writable' : `to be made in ${existing}, which is writable`;
  return row(check, path, {
    seen: freeBytes === null ? made : `${made}, ${Math.floor(freeBytes / 2 ** 20)} MiB free`,
  });
};
