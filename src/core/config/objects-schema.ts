/** A region's object store: which provider, where in it, with which credentials, and what a new object is stored with. */

import * as z from 'zod/mini';
import { name, says, secretRef, secretRefOrUrl, text, textOf } from './scalars.ts';

const endpoint = says(
  'Endpoint URL or a reference to it; the cloud’s own when absent.',
  z.optional(secretRefOrUrl),
);

/** It becomes part of a path in a local store. */
const prefixText = z
  .string()
  .check(
    z.refine(
      (value) => !value.startsWith('/') && !value.split('/').some((part) => part === '.' || part === '..'),
      'no leading slash, and no . or .. as a part',
    ),
  );
const prefix = says('What every key begins with.', z.optional(prefixText));

const bucket = textOf('Name of the bucket.');
const storageClass = says(
  'Storage class of new objects, in the words of the cloud; Azure calls it access tier. Its own default when absent.',
  z.optional(text),
);

/** Where a tenant's objects are when not below `prefix` + its name. */
const tenantPlaces = <S extends z.ZodMiniType>(place: S) =>
  says(
    'Places of single tenants. A tenant that is not named here is at the prefix, then its name and a slash.',
    z.optional(z.record(name, place)),
  );
const tenantPrefix = says(
  'What every key of the tenant begins with, in place of all else.',
  z.optional(prefixText),
);
const tenantsInBuckets = tenantPlaces(
  z.strictObject({
    bucket: says('Its own bucket.', z.optional(text)),
    prefix: tenantPrefix,
  }),
);

const s3 = z.strictObject({
  kind: z.literal('s3'),
  endpoint,
  bucket,
  prefix,
  tenants: tenantsInBuckets,
  region: says('The cloud’s name of the region. Default us-east-1.', z.optional(z.string())),
  credentials: says(
    'References to an access key; what the SDK finds when absent: environment, profile, role.',
    z.optional(
      z.strictObject({
        accessKeyId: secretRef,
        secretAccessKey: secretRef,
        sessionToken: z.optional(secretRef),
      }),
    ),
  ),
  forcePathStyle: says(
    'The bucket in the path instead of the host name. Default true where an endpoint is given.',
    z.optional(z.boolean()),
  ),
  checksums: says(
    'Whether requests carry S3’s newer checksums (x-amz-checksum-*), which not every server knows. Our own sha256 is recorded either way. Default when-required where an endpoint is given, else when-supported.',
    z.optional(z.enum(['when-required', 'when-supported'])),
  ),
  storageClass,
  encryption: says(
    'Server-side encryption of new objects; the bucket’s own setting when absent.',
    z.optional(
      z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('aes256') }),
        z.strictObject({
          kind: z.literal('kms'),
          keyId: says(
            'Id or ARN of the KMS key; the account’s own key for S3 when absent.',
            z.optional(text),
          ),
        }),
      ]),
    ),
  ),
});

const gcs = z.strictObject({
  kind: z.literal('gcs'),
  endpoint,
  bucket,
  prefix,
  tenants: tenantsInBuckets,
  credentials: says(
    'Reference to a service account’s key file in JSON; what the SDK finds when absent: environment, gcloud, metadata server.',
    z.optional(z.strictObject({ keyFile: secretRef })),
  ),
  storageClass,
  kmsKey: says(
    'Encrypts new objects: projects/P/locations/L/keyRings/R/cryptoKeys/K. The bucket’s own setting when absent.',
    z.optional(text),
  ),
});

const azureCredentials = z.union([
  z.strictObject({ accountKey: secretRef }),
  z.strictObject({ connectionString: secretRef }),
  z.strictObject({ sas: secretRef }),
]);

const azure = z.strictObject({
  kind: z.literal('azure'),
  endpoint,
  account: says(
    'Name of the storage account; makes the endpoint where none is given.',
    z.optional(z.string().check(z.regex(/^[a-z0-9]{3,24}$/, '3 to 24 lower-case letters and digits'))),
  ),
  container: textOf('Name of the container.'),
  prefix,
  tenants: tenantPlaces(
    z.strictObject({ container: says('Its own container.', z.optional(text)), prefix: tenantPrefix }),
  ),
  credentials: says(
    'References to the account’s key, to a connection string, or to a SAS token; what the SDK finds when absent: environment, workload identity, az login.',
    z.optional(azureCredentials),
  ),
  storageClass,
  encryptionScope: says(
    'Encryption scope of new objects, which names their key; the container’s own when absent.',
    z.optional(text),
  ),
});

const local = z.strictObject({
  kind: z.literal('local'),
  path: textOf('The directory; a relative path starts at the configuration file.'),
  prefix: says('A directory below it.', z.optional(prefixText)),
  tenants: tenantPlaces(z.strictObject({ prefix: tenantPrefix })),
});

export const objects = says(
  'The region’s object store.',
  z.discriminatedUnion('kind', [s3, gcs, azure, local, z.strictObject({ kind: z.literal('memory') })]),
);

export type ObjectsConfig = z.output<typeof objects>;
