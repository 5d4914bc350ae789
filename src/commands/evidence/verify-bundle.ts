/** What an archive of evidence proves. */

import { EXIT } from '../../core/errors/exit.ts';
import { verifyEvidence } from '../../core/report/evidence.ts';
import { unpackTar } from '../../providers/archive/tar.ts';
import { bundles } from '../../providers/cosign/bundles.ts';
import { noteVerifier, publicKeyOf } from '../../providers/cosign/signing-key.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { readGiven } from '../read-given.ts';

const TONES = { pass: 'good', fail: 'bad', unknown: 'warn' } as const;
const WORDS = { pass: 'proved', fail: 'WRONG', unknown: 'not proved' } as const;

/** @throws XcError XC-1013, XC-1409, XC-1401 */
export const verifyBundle = async (
  host: Host,
  file: string,
  keyFiles: readonly string[],
): Promise<Outcome> => {
  const files = unpackTar(await readGiven(host, file), file);
  const trusted = await Promise.all(
    keyFiles.map(async (path) => publicKeyOf((await readGiven(host, path)).toString(), path)),
  );
  const claims = await verifyEvidence(files, {
    bundles,
    keyOf: publicKeyOf,
    verifierOf: noteVerifier,
    trusted,
  });
  const holds = claims.every(({ verdict }) => verdict !== 'fail');
  return {
    document: {
      schemaVersion: 1,
      file,
      holds,
      claims,
      ...(holds ? {} : { code: 'XC-5605' }),
    },
    records: claims,
    table: (paint) =>
      [
        ...claims.map(
          ({ claim, verdict, why }) =>
            `${paint[TONES[verdict]](WORDS[verdict])}  ${claim}: ${paint.dim(why)}`,
        ),
        '',
        holds ? 'nothing in it is wrong' : paint.bad('XC-5605 the evidence does not hold'),
      ].join('\n'),
    exit: holds ? EXIT.done : EXIT.findings,
  };
};
