/**
 * Reads one key of a KV secret from HashiCorp Vault (or OpenBao) over its HTTP API. Whether the mount is KV version 1
 * or 2 is asked of the server as the `vault` command does: GET sys/internal/ui/mounts/PATH (Vault API, "KV secrets
 * engine" and "internal/ui/mounts").
 */

import { XcError } from '../../core/errors/xc-error.ts';
import type { VaultAccess } from './secrets.ts';

/** Longest wait for one answer of Vault. */
const ANSWER_LIMIT_MS = 10_000;

/** @throws XcError XC-1005, XC-4001, XC-4002, XC-6001 */
export const readVault = async (
  reference: string,
  access: VaultAccess,
  signal: AbortSignal,
): Promise<string> => {
  const [path = '', key = ''] = reference.slice('vault:'.length).split('#');
  const clean = path.replace(/^\/+|\/+$/g, '').replace(/^v1\//, '');
  const body = await get(await apiPath(clean, access, signal), reference, access, signal);
  const outer = field(body, 'data');
  // KV version 2 wraps the secret once more, beside its metadata.
  const data = field(outer, 'metadata') === undefined ? outer : field(outer, 'data');
  const value = field(data, key);
  if (value === undefined) throw new XcError('XC-1005', { subject: reference, why: `no key ${key} there` });
  return typeof value === 'string' ? value : JSON.stringify(value);
};

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;

/** The path under /v1/, with `data/` after the mount of a version 2 engine. */
const apiPath = async (path: string, access: VaultAccess, signal: AbortSignal): Promise<string> => {
  const response = await request(`sys/internal/ui/mounts/${path}`, access, signal);
  if (!response.ok) return path;
  const data = field(await response.json(), 'data');
  const mount = field(data, 'path');
  if (typeof mount !== 'string' || field(field(data, 'options'), 'version') !== '2') return path;
  const rest = path.slice(mount.length);
  return rest.startsWith('data/') ? path : `${mount}data/${rest}`;
};

const get = async (
  path: string,
  reference: string,
  access: VaultAccess,
  signal: AbortSignal,
): Promise<unknown> => {
  const response = await request(path, access, signal);
  if (response.ok) return response.json();
  const why = `Vault answered ${response.status}`;
  switch (response.status) {
    case 401:
      throw new XcError('XC-4001', { subject: reference, why, next: 'check the Vault token' });
    case 403:
      throw new XcError('XC-4002', {
        subject: reference,
        why,
        next: 'grant the token read on this path, or renew it',
      });
    case 404:
      throw new XcError('XC-1005', { subject: reference, why: 'Vault has nothing at this path' });
    default:
      throw new XcError('XC-6001', { subject: reference, why });
  }
};

const request = async (path: string, access: VaultAccess, signal: AbortSignal): Promise<Response> => {
  const url = `${access.address.replace(/\/+$/, '')}/v1/${path.split('/').map(encodeURIComponent).join('/')}`;
  try {
    return await fetch(url, {
      headers: {
        'X-Vault-Token': access.token,
        'X-Vault-Request': 'true',
        ...(access.namespace === undefined ? {} : { 'X-Vault-Namespace': access.namespace }),
      },
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_LIMIT_MS)]),
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new XcError('XC-6001', { subject: `Vault at ${access.address}`, why, cause: error });
  }
};
