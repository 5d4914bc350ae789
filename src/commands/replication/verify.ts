/** `xcrepl replication verify`: compares rows on both sides. */

import { listedPatterns } from '../../core/topology/pattern.ts';
import { Option } from '@commander-js/extra-typings';
import { XcError } from '../../core/errors/xc-error.ts';
import { leaf } from '../frame/leaf.ts';
import type { CommandModule } from '../frame/host.ts';
import { withSelection } from './selection.ts';

export const verify: CommandModule = {
  command: (host, finish) =>
    withSelection(
      leaf({
        name: 'verify',
        about:
          'Compares the rows that links carry, by checksums computed in both servers, and names the keys that differ. Goes on beside a run that streams; where no run does, it streams up to the position of now first. Rows that keep changing while they are read are unknown, never equal. Writes no row but what it streams.',
        examples: [
          ['xcrepl replication verify --link shop:acme:us-east-1:eu-central-1', 'one link, every row'],
          ['xcrepl replication verify --sample 5 -o json', 'five percent of every table, for a program'],
          ['xcrepl replication verify --resume', 'go on with one that was cut off'],
          ['xcrepl replication verify --repair-plan repair.json', 'and a plan that mends what differs'],
          ['xcrepl replication verify --self-test', 'whether it finds what is planted in scratch copies'],
        ],
        exits: [0, 2, 4, 5, 6, 10, 12],
      }),
    )
      .option('--link <link>', 'rule:tenant:source:target')
      .option(
        '--tables <patterns>',
        'only these tables: schema.table with *, separated by commas',
        listedPatterns,
      )
      .option('--sample <percent>', 'compare only this share of each table', percent)
      .option('--seed <hex>', 'with --sample: the seed of an earlier report draws the same sample', seedText)
      .option('--window <from/to>', 'only rows of this time range, by the tables’ declared time columns')
      .addOption(
        new Option('--keys <count>', 'differing keys to name for each table')
          .argParser((text) => count(text))
          .default(20),
      )
      .option('--resume', 'go on with the same verification where it was cut off')
      .addOption(
        new Option(
          '--self-test',
          'compare temporary copies of some rows of each table, with a changed, a missing and an extra row, and fail unless all are found',
        ).conflicts(['sample', 'seed', 'window', 'resume', 'repairPlan']),
      )
      .option(
        '--repair-plan <file>',
        'write a plan here that mends the rows that differ; replication run --plan runs it',
      )
      .action(async (options) => {
        const { verifyReplication } = await import('./verify-replication.ts');
        finish(await verifyReplication(host, options));
      }),
};

const percent = (text: string): number => {
  const value = Number(text.replace(/%$/, ''));
  if (!(value > 0 && value <= 100))
    throw new XcError('XC-1004', {
      subject: '--sample',
      why: `"${text}" is no share in percent, above 0 up to 100`,
    });
  return value / 100;
};

const seedText = (text: string): string => {
  if (!/^[0-9a-f]{16}$/.test(text))
    throw new XcError('XC-1004', { subject: '--seed', why: `"${text}" is not 16 hexadecimal digits` });
  return text;
};

const count = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 10_000)
    throw new XcError('XC-1004', { subject: '--keys', why: `"${text}" is no number from 0 to 10000` });
  return value;
};
