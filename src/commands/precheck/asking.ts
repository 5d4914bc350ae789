/** How precheck asks what the configuration names: what is missing, late or in the way becomes a row. */

import { dirname } from 'node:path';
import type { LoadedConfig } from '../../core/config/loaded.ts';
import { isXcError } from '../../core/errors/xc-error.ts';
import { checkDirectory } from '../../core/validation/checks/services.ts';
import type { Finding } from '../../core/validation/finding.ts';
import type { HttpAnswer } from '../../core/validation/observed-service.ts';
import { observeDirectory } from '../../providers/directory/observe.ts';
import { shownUrl } from '../../providers/http/shown-url.ts';
import type { Host } from '../frame/host.ts';
import { type Deadline, within } from './deadline.ts';

/** What a relative path in the configuration starts from, as file: references do. */
export const baseOf = (host: Host, { path }: LoadedConfig): string =>
  path === null ? host.cwd : dirname(path);

/** A URL that stands in the configuration, or behind a reference. */
const urlOf = (host: Host, value: string, deadline: Deadline): Promise<string> =>
  /^(env|file|cmd|vault):/.test(value) ? within(deadline.reach, host.secret(value)) : Promise.resolve(value);

/** What asking needs first, its address, may itself be missing or late. */
export const askAt = async (
  host: Host,
  value: string,
  deadline: Deadline,
  ask: (url: string) => Promise<HttpAnswer>,
): Promise<{ readonly url: string; readonly answer: HttpAnswer }> => {
  try {
    const url = await urlOf(host, value, deadline);
    return { url: shownUrl(url), answer: await ask(url) };
  } catch (error) {
    const why = isXcError(error) ? error.message : 'its address was not known within the time allowed';
    return { url: value, answer: { kind: 'none', why } };
  }
};

export const directoryFinding = (check: string, path: string, deadline: Deadline): Promise<Finding> =>
  late(check, path, deadline, async () => checkDirectory(check, await observeDirectory(path)));

/** A file system that hangs (a network mount) is a row too. */
export const late = async (
  check: string,
  subject: string,
  deadline: Deadline,
  look: () => Promise<Finding>,
): Promise<Finding> => {
  try {
    return await within(deadline.total, look());
  } catch (error) {
    const why = deadline.total.aborted
      ? 'no answer within the time allowed'
      : error instanceof Error
        ? error.message
        : '';
    return { check, subject, verdict: 'unknown', severity: 'block', seen: why, code: 'XC-5340' };
  }
};
