/** A region's object store as precheck looks at it: asked without signature, and then with our credentials. */

import { resolve } from 'node:path';
import type { LoadedConfig } from '../../core/config/loaded.ts';
import type { ObjectsConfig } from '../../core/config/objects-schema.ts';
import { isXcError } from '../../core/errors/xc-error.ts';
import { checkStore } from '../../core/validation/checks/object-store.ts';
import type { Finding } from '../../core/validation/finding.ts';
import type { HttpAnswer, HttpAsk, SignedAnswer } from '../../core/validation/observed-service.ts';
import { askSigned, askStore, storeUrl } from '../../providers/object-endpoint/ask-store.ts';
import type { Host } from '../frame/host.ts';
import { openStore } from '../object-stores.ts';
import { type Deadline, within } from './deadline.ts';
import { askAt, baseOf, directoryFinding } from './asking.ts';

export interface StoreLook {
  readonly host: Host;
  readonly loaded: LoadedConfig;
  readonly region: string;
  readonly ask: HttpAsk;
  readonly deadline: Deadline;
}

type CloudStore = Extract<ObjectsConfig, { kind: 's3' | 'gcs' | 'azure' }>;

export const storeFinding = async (look: StoreLook, objects: ObjectsConfig): Promise<Finding> => {
  const { host, loaded, region, deadline } = look;
  switch (objects.kind) {
    case 'memory':
      return {
        check: 'object-store',
        region,
        subject: 'memory',
        verdict: 'pass',
        severity: 'info',
        seen: 'in this process',
      };
    case 'local': {
      const path = resolve(baseOf(host, loaded), objects.path, objects.prefix ?? '');
      return { ...(await directoryFinding('object-store', path, deadline)), region };
    }
    case 's3':
    case 'gcs':
    case 'azure':
      return await cloudFinding(look, objects);
  }
};

const cloudFinding = async (look: StoreLook, objects: CloudStore): Promise<Finding> => {
  const { loaded, region } = look;
  const isNeeded = loaded.config.rules.some(
    (rule) => rule.prefixes !== undefined && [rule.from, ...rule.to].includes(region),
  );
  const address = {
    kind: objects.kind,
    bucket: objects.kind === 'azure' ? objects.container : objects.bucket,
    region: objects.kind === 's3' ? objects.region : undefined,
  };
  const { url, answer, isKnown } = await unsigned(look, objects, address);
  // A store that did not answer a short question is not asked a longer one.
  const signed = answer.kind === 'none' && isKnown ? null : await signedAnswer(look, objects);
  return checkStore(region, { ...address, endpoint: url, answer, signed }, isNeeded);
};

/** Azure's address without endpoint is its account's; behind a connection string it is not known here. */
const endpointOf = (objects: CloudStore): string | undefined =>
  objects.endpoint ??
  (objects.kind === 'azure' && objects.account !== undefined
    ? `https://${objects.account}.blob.core.windows.net`
    : undefined);

const unsigned = async (
  { host, ask, deadline }: StoreLook,
  objects: CloudStore,
  address: Omit<Parameters<typeof storeUrl>[0], 'endpoint'>,
): Promise<{ readonly url: string; readonly answer: HttpAnswer; readonly isKnown: boolean }> => {
  const given = endpointOf(objects);
  const own = storeUrl({ ...address, endpoint: given });
  if (own === null)
    return {
      url: 'the endpoint of its connection string',
      answer: { kind: 'none', why: 'no endpoint is configured' },
      isKnown: false,
    };
  const asked = await askAt(host, given ?? own, deadline, async (endpoint) => {
    const store = { ...address, endpoint: given === undefined ? undefined : endpoint };
    return await askStore(store, storeUrl(store) ?? own, ask);
  });
  return {
    url: given === undefined ? 'the cloud’s own endpoint' : asked.url,
    answer: asked.answer,
    isKnown: true,
  };
};

const signedAnswer = async (
  { host, loaded, deadline }: StoreLook,
  objects: CloudStore,
): Promise<SignedAnswer> => {
  try {
    return await within(deadline.total, listOnce(host, loaded, objects));
  } catch (error) {
    if (isXcError(error)) return { kind: 'refused', behaviour: 'fatal', why: error.message };
    if (!deadline.total.aborted) throw error;
    return { kind: 'refused', behaviour: 'retry', why: 'no answer within the time allowed' };
  }
};

const listOnce = async (host: Host, loaded: LoadedConfig, objects: CloudStore): Promise<SignedAnswer> => {
  const store = await openStore(host, loaded, objects, null);
  try {
    return await askSigned(store);
  } finally {
    await store.close();
  }
};
