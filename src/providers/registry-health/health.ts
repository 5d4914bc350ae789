/** The global registry's health: a GET of the URL that the configuration gives, answered with 2xx when it is up. */

import type { HttpAnswer, HttpAsk } from '../../core/validation/observed-service.ts';

export const registryHealth = (url: string, ask: HttpAsk): Promise<HttpAnswer> =>
  ask({ url, method: 'GET', headers: { accept: 'application/json, */*' } });
