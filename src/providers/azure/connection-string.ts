/** Azure Storage, "Configure Azure Storage connection strings". */

import { XcError } from '../../core/errors/xc-error.ts';

export interface ConnectionString {
  readonly account?: string;
  readonly key?: string;
  readonly endpoint?: string;
  readonly sas?: string;
}

/** "Use the Azurite emulator": its account and key are published. */
const DEVELOPMENT =
  'AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1';

/** @param reference where the text came from: an error names it, and nothing of the text. @throws XcError XC-1060 */
export const connectionIn = (text: string, reference: string): ConnectionString => {
  const found = new Map(
    text
      .split(';')
      .filter((part) => part.includes('='))
      // Keys and tokens hold equal signs of their own.
      .map((part) => [part.slice(0, part.indexOf('=')).trim(), part.slice(part.indexOf('=') + 1).trim()]),
  );
  if (found.get('UseDevelopmentStorage') === 'true') return connectionIn(DEVELOPMENT, reference);
  const account = found.get('AccountName');
  const key = found.get('AccountKey');
  const sas = found.get('SharedAccessSignature');
  const endpoint = found.get('BlobEndpoint') ?? hostOf(account, found);
  if (endpoint === undefined || (key === undefined && sas === undefined))
    throw new XcError('XC-1060', {
      subject: reference,
      why: 'it is no connection string with an account or BlobEndpoint, and an AccountKey or SharedAccessSignature',
    });
  return {
    endpoint: endpoint.replace(/\/+$/, ''),
    ...(account === undefined ? {} : { account }),
    ...(key === undefined ? {} : { key }),
    ...(sas === undefined ? {} : { sas }),
  };
};

const hostOf = (account: string | undefined, found: ReadonlyMap<string | undefined, string | undefined>) =>
  account === undefined
    ? undefined
    : `${found.get('DefaultEndpointsProtocol') ?? 'https'}://${account}.blob.${found.get('EndpointSuffix') ?? 'core.windows.net'}`;
