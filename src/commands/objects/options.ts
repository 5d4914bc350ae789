/** Options that sync and check share. */

import type { Command } from '@commander-js/extra-typings';
import { Option } from '@commander-js/extra-typings';
import { XcError } from '../../core/errors/xc-error.ts';

const collected = (text: string, before: readonly string[]): readonly string[] => [...before, text];

/** More at once than stores and sockets take well. */
const MOST_AT_ONCE = 512;

export const atOnce =
  (flag: string) =>
  (text: string): number => {
    const count = Number(text);
    if (!Number.isInteger(count) || count < 1 || count > MOST_AT_ONCE)
      throw new XcError('XC-1004', { subject: flag, why: `"${text}" is no count from 1 to ${MOST_AT_ONCE}` });
    return count;
  };

const CHECKERS = 16;

export const withMirror = (command: Command) =>
  command
    .argument('[source]', 'region:prefix, or the id of a rule with prefixes')
    .argument('[target]', 'region:prefix')
    .option('--tenant <tenant>', 'whose place in both stores the prefixes are below')
    .addOption(
      new Option(
        '--include <glob>',
        'only keys that match: * and ? within a part, ** across, [a-z], {one,two}; a leading / anchors; may be repeated',
      )
        .argParser<readonly string[]>(collected)
        .default([] as readonly string[], 'all'),
    )
    .addOption(
      new Option('--exclude <glob>', 'none of these keys, on either side; may be repeated')
        .argParser<readonly string[]>(collected)
        .default([] as readonly string[], 'none'),
    )
    .addOption(
      new Option('--checkers <count>', 'objects whose metadata or bytes are compared at once')
        .argParser(atOnce('--checkers'))
        .default(CHECKERS),
    )
    .option('--no-manifest', 'compare without what the last sync proved')
    .option('--key <reference>', 'key of manifests: a path, env:, file:, cmd:, vault: or a key service')
    .option('--passphrase <reference>', 'of the key: env:NAME, file:PATH, cmd:… or vault:PATH#KEY');
