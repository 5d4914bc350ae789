/** `xcrepl replication record`: writes a link's changes into a file. */

import { Option } from '@commander-js/extra-typings';
import { parseDuration, parseSize } from '../../core/config/quantity.ts';
import { parseLsn } from '../../core/change/lsn.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { leaf } from '../frame/leaf.ts';
import { refuseRemovalOptions, withRemovalPlan } from '../policy/removal-options.ts';
import type { CommandModule } from '../frame/host.ts';

/** Smaller files would be headers for the most part. */
const LEAST_ROTATE_BYTES = 64 * 1024;
const ROTATE_BYTES = 256 * 2 ** 20;

const rotateBytes = (text: string): number => {
  const bytes = parseSize(text, '--rotate-bytes');
  if (bytes < LEAST_ROTATE_BYTES)
    throw new XcError('XC-1004', { subject: '--rotate-bytes', why: `"${text}" is less than 64KiB` });
  return bytes;
};

export const record: CommandModule = {
  command: (host, finish) =>
    withRemovalPlan(
      leaf({
        name: 'record',
        about:
          'Writes one link’s rows and changes, redacted by its policy, into a change log: a file that can be replayed without the source (docs/changelog-format.md). The log begins with a copy of the rows that are there, and keeps a slot and a publication of its own on the source; no target is needed, and no running stream is disturbed. A recording that was cut short goes on behind the log’s last transaction.',
        examples: [
          [
            'xcrepl replication record --link shop:acme:us-east-1:eu-central-1 --to acme.changelog',
            'the rows, and changes up to now',
          ],
          [
            'xcrepl replication record --link shop:acme:us-east-1:eu-central-1 --to acme.changelog --follow --rotate-bytes 64MiB',
            'every change until stopped, in files of 64 MiB',
          ],
          [
            'xcrepl replication record --link shop:acme:us-east-1:eu-central-1 --to acme.changelog --stop --confirm us-east-1',
            'end the log for good, and remove its slot',
          ],
        ],
        exits: [0, 2, 4, 5, 6, 7, 8, 10, 11, 13],
      }),
    )
      .requiredOption('--link <link>', 'rule:tenant:source:target')
      .requiredOption('--to <file>', 'the log; later files of it have a number behind this name')
      .addOption(
        new Option('--once', 'end at the source’s position at the start (default)').conflicts('follow'),
      )
      .option('--follow', 'record until told to stop')
      .addOption(
        new Option('--until <lsn>', 'end at this position of the source')
          .argParser((text: string) => parseLsn(text))
          .conflicts(['once', 'follow']),
      )
      .option(
        '--metrics-addr <host:port>',
        'with --follow: serve /health and /metrics here; any free port of loopback without it',
      )
      .option('--max-duration <duration>', 'end in good order after this time', (text) =>
        parseDuration(text, '--max-duration'),
      )
      .option(
        '--rotate-bytes <size>',
        'seal a file and begin the next where it is larger than this',
        rotateBytes,
        ROTATE_BYTES,
      )
      .option('--no-copy', 'leave out the rows that are there, and begin with changes')
      .option('--stop', 'seal the log for good, and remove its slot and publication')
      .option('--confirm <region>', 'with --stop: the source region, as confirmation')
      .action(async (options) => {
        const { recordLink, stopRecording } = await import('./record-link.ts');
        if (!options.stop) refuseRemovalOptions(options);
        finish(await (options.stop ? stopRecording : recordLink)(host, options));
      }),
};
