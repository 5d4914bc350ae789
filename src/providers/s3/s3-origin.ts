/**
 * Where the requests of a bucket go, as the SDK itself finds it: from the endpoint, the region, the environment and the
 * shared configuration. It is asked for a request that is never sent.
 */

import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { XcError } from '../../core/errors/xc-error.ts';

export interface S3Origin {
  /** `https://host:port`. */
  readonly origin: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port: number | undefined;
  /** As the header says it: with the port where that is not the scheme's own. */
  readonly host: string;
  /** Before every key: `/` or `/BUCKET/`. */
  readonly path: string;
  /** That the signature names. */
  readonly region: string;
}

/** What the SDK knows at the end of its building step; its own types leave it open. */
interface Built {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
}

interface Scheme {
  readonly name: string;
  readonly signingRegion?: string;
}

const KEY = 'k';

class Found extends Error {
  readonly request: Built;
  readonly schemes: readonly Scheme[];
  constructor(request: Built, schemes: readonly Scheme[]) {
    super('found');
    this.request = request;
    this.schemes = schemes;
  }
}

const asked = async (client: S3Client, bucket: string): Promise<Found> => {
  const command = new GetObjectCommand({ Bucket: bucket, Key: KEY });
  command.middlewareStack.add(
    (_next, context) => (args) => {
      const schemes: unknown = context.endpointV2?.properties?.['authSchemes'];
      throw new Found(args.request as Built, Array.isArray(schemes) ? schemes : []);
    },
    { step: 'build', priority: 'low' },
  );
  try {
    await client.send(command);
  } catch (error) {
    if (error instanceof Found) return error;
    throw error;
  }
  throw new Error('the SDK sent a request that it was to describe');
};

/** @throws XcError XC-1060 for a bucket that is signed for in another way (S3 Express, multi-region access points) */
export const originOf = async (client: S3Client, bucket: string): Promise<S3Origin> => {
  const { request, schemes } = await asked(client, bucket);
  const [scheme] = schemes;
  if (scheme !== undefined && scheme.name !== 'sigv4')
    throw new XcError('XC-1060', { subject: `s3:${bucket}`, why: `requests are signed with ${scheme.name}` });
  const { protocol, hostname, port, path } = request;
  const plain = (protocol === 'https:' ? 443 : 80) === (port ?? 0);
  const host = port === undefined || plain ? hostname : `${hostname}:${port}`;
  return {
    origin: `${protocol}//${host}`,
    protocol,
    hostname,
    port,
    host,
    path: path.slice(0, -KEY.length),
    region: scheme?.signingRegion ?? (await client.config.region()),
  };
};
