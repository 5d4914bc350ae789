/** `xcrepl config validate`: every mistake at once, without connecting to anything. */

import { leaf } from '../frame/leaf.ts';
import type { CommandModule, Host } from '../frame/host.ts';
import type { Config } from '../../core/config/schema.ts';

export const validate: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'validate',
      about:
        'Checks the configuration: YAML, keys and values, and the names that point to each other. Every mistake is listed with file, line and column. Connects to nothing; with --secrets each reference is resolved too, and never shown.',
      examples: [
        ['xcrepl config validate', 'check ./xcrepl.yaml'],
        ['xcrepl -c staging.yaml config validate --secrets', 'another file, and that every secret is there'],
      ],
    })
      .option('--secrets', 'also resolve every secret reference')
      .action(async ({ secrets }) => {
        const { config, path, mode, digest, missing } = await host.config();
        const references = secrets ? await resolveAll(host, config) : null;
        const counts = {
          regions: Object.keys(config.regions).length,
          tenants: Object.keys(config.tenants).length,
          rules: config.rules.length,
        };
        const document = { schemaVersion: 1, valid: true, path, mode, missing, digest, ...counts };
        finish({
          document: references === null ? document : { ...document, secretsResolved: references },
          table: (paint) =>
            `${paint.good('valid')}: ${path ?? 'the environment alone'}, ${counts.regions} regions, ${counts.tenants} tenants, ${counts.rules} rules, mode ${mode}${references === null ? '' : `, ${references} secrets resolved`}`,
        });
      }),
};

/** Every missing secret is listed, not only the first. @returns how many references there are */
const resolveAll = async (host: Host, config: Config): Promise<number> => {
  const { referencesOf } = await import('../../core/config/references.ts');
  const { XcError } = await import('../../core/errors/xc-error.ts');
  const references = referencesOf(config);
  const results = await Promise.allSettled(references.map((reference) => host.secret(reference)));
  const errors = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  const [first] = errors;
  if (errors.length < 2) {
    if (first !== undefined) throw first;
    return references.length;
  }
  const told = errors.map((error) =>
    error instanceof XcError ? `${error.subject}: ${error.why}` : String(error),
  );
  throw new XcError('XC-1005', { subject: `${errors.length} secrets`, why: told.join('\n'), cause: first });
};
