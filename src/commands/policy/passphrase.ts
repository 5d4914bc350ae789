/** Passphrases come by reference, or in the variable that cosign reads; never as an argument. */

import { XcError } from '../../core/errors/xc-error.ts';
import type { Host } from '../frame/host.ts';

/** @throws XcError XC-1005 */
export const passphraseOf = async (host: Host, reference: string | undefined): Promise<string> => {
  if (reference !== undefined) return await host.secret(reference);
  if (host.env['COSIGN_PASSWORD'] !== undefined)
    // An empty one is a choice that cosign allows, too.
    return host.env['COSIGN_PASSWORD'] === '' ? '' : await host.secret('env:COSIGN_PASSWORD');
  throw new XcError('XC-1005', {
    subject: 'passphrase of the key',
    why: 'neither --passphrase nor COSIGN_PASSWORD is given',
    next: 'set COSIGN_PASSWORD, or give --passphrase file:PATH',
  });
};
