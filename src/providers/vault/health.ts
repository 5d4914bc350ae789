/** Vault's health: GET /v1/sys/health answers without a token, and by its status (Vault HTTP API, "/sys/health"). */

import type { HttpAnswer, HttpAsk } from '../../core/validation/observed-service.ts';

export const vaultHealth = (address: string, ask: HttpAsk): Promise<HttpAnswer> =>
  ask({ url: `${address.replace(/\/+$/, '')}/v1/sys/health`, method: 'GET' });
