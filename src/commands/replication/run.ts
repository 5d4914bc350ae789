/** `xcrepl replication run`: plans on the facts of now, or runs a reviewed plan, and reports. */

import { parseDuration } from '../../core/config/quantity.ts';
import { Option } from '@commander-js/extra-typings';
import { leaf } from '../frame/leaf.ts';
import type { CommandModule } from '../frame/host.ts';
import { existingOption, withPlanning } from './planning.ts';

const duration =
  (flag: string) =>
  (text: string): number =>
    parseDuration(text, flag);

export const run: CommandModule = {
  command: (host, finish) =>
    withPlanning(
      leaf({
        name: 'run',
        about:
          'Copies what is missing, streams changes and verifies. --once, the default, ends at the position that the source had at the start: what cron calls. --follow streams until it is told to stop, and takes up links as the configuration changes. A run that was cut short goes on where it was; a second run of the same stream says who holds it.',
        examples: [
          ['xcrepl replication run --once --tenant acme', 'copy what is missing, catch up, verify, end'],
          ['xcrepl replication run --follow --metrics-addr 127.0.0.1:9187', 'stream until stopped'],
          [
            'xcrepl replication run --follow --standby',
            'wait beside a run on another host, and take over when that dies',
          ],
          ['xcrepl replication run --plan plan.json', 'run exactly what was reviewed'],
        ],
        exits: [0, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13],
      }),
    )
      .option('--plan <file>', 'run this plan, if what it rests on still holds')
      .addOption(
        new Option('--once', 'end at the source’s position at the start (default)').conflicts('follow'),
      )
      .option('--follow', 'stream until told to stop')
      .option(
        '--standby',
        'with --follow: wait while another run has the streams, and take over when it is gone',
      )
      .option(
        '--take-over-after <duration>',
        'with --standby: how long a run that has the streams may be silent (default 30s, at least 5s)',
        duration('--take-over-after'),
      )
      .option('--max-duration <duration>', 'end in good order after this time', duration('--max-duration'))
      .option('--max-lag <duration>', 'end with exit 6 while the lag is above this', duration('--max-lag'))
      .addOption(existingOption())
      .option(
        '--confirm <region>',
        'with --existing replace, or a repair that deletes what only the target has: the target region, as confirmation',
      )
      .option(
        '--metrics-addr <host:port>',
        'with --follow: serve /health and /metrics here; any free port of loopback without it',
      )
      .option(
        '--approval <file...>',
        'approvals of the plan; PLAN.approval.*.json beside it without this option',
      )
      .option('--report-dir <dir>', 'where reports go', 'reports')
      .action(async (options) => {
        if (host.flags.dryRun) {
          const { simulateRun } = await import('./simulate.ts');
          return finish(await simulateRun(host, options));
        }
        const { runReplication } = await import('./run-replication.ts');
        finish(await runReplication(host, options));
      }),
};
