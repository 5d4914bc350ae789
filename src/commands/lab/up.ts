/** `xcrepl lab up`: starts a lab, or says that it is up. */

import { resolve } from 'node:path';
import type { Lab } from '../../providers/lab/lab-state.ts';
import type { LabSpec } from '../../providers/lab/lab.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { leaf } from '../frame/leaf.ts';
import type { CommandModule, Host, Outcome } from '../frame/host.ts';
import { DEFAULT_DIRECTORY, labDocument, labTable } from './lab-document.ts';

export const up: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'up',
      about:
        'Starts one real PostgreSQL server a region on this machine, listening on loopback and on sockets only, and writes a configuration file that describes them. The servers outlive the command and are stopped by lab down. A lab that is up already is left as it is; what a crashed one left behind is removed first.',
      examples: [
        ['xcrepl lab up', 'two regions, us-east-1 and eu-central-1'],
        ['xcrepl lab up --fixture shop --write-config xcrepl.yaml', 'with data, ready for replication run'],
        [
          'xcrepl lab up --regions a,b,c --pg-version 15 --dir /tmp/three',
          'three regions, beside another lab',
        ],
      ],
      exits: [0, 2, 5, 11],
    })
      .option(
        '--regions <names>',
        'regions, the primary first (default: us-east-1,eu-central-1)',
        regionNames,
      )
      .option('--pg-version <major>', 'major version of PostgreSQL (default: 18)', majorVersion)
      .option('--pg-bin <dir>', 'directory with initdb and postgres, instead of finding them')
      .option('--dir <dir>', 'directory of the lab', DEFAULT_DIRECTORY)
      .option('--tcp', 'DSNs with 127.0.0.1 instead of the socket')
      .option('--fixture <name>', 'data to fill in; there is one: shop', fixtureName)
      .option('--write-config <file>', 'where the configuration goes (default: xcrepl.yaml in --dir)')
      .action(async (options) => {
        const directory = resolve(host.cwd, options.dir);
        const spec: LabSpec = {
          directory,
          regions: options.regions,
          pgMajor: options.pgVersion,
          pgBin: options.pgBin,
          via: options.tcp ? 'tcp' : undefined,
          durable: true,
          configPath: options.writeConfig && resolve(host.cwd, options.writeConfig),
          ...(options.fixture === 'shop' ? await withShop(options.regions) : {}),
        };
        finish(host.flags.dryRun ? await preview(directory) : await start(host, spec));
      }),
};

const start = async (host: Host, spec: LabSpec): Promise<Outcome> => {
  const { labUp } = await import('../../providers/lab/lab.ts');
  host.narrator.info(`lab in ${spec.directory}`);
  const { lab, changed, cleaned } = await labUp(spec, host.signal);
  if (cleaned) host.narrator.info('removed what a crashed lab had left behind');
  const document = { schemaVersion: 1, changed, cleaned, directory: spec.directory, ...labDocument(lab) };
  const next = `next: xcrepl -c ${lab.configPath} precheck`;
  return {
    document,
    table: (paint) =>
      [...(changed ? [] : ['no change: the lab is up']), labTable(paint, document), next].join('\n'),
  };
};

const preview = async (directory: string): Promise<Outcome> => {
  const { labStatus } = await import('../../providers/lab/lab.ts');
  const { state } = await labStatus(directory);
  const would = { up: 'nothing', starting: 'nothing', crashed: 'remove and start', absent: 'start' }[state];
  return {
    document: { schemaVersion: 1, dryRun: true, directory, state, would },
    table: () => `the lab is ${state}; would do: ${would}`,
  };
};

/** The data set is a large module: it is loaded only when it is asked for. */
const withShop = async (
  regions: readonly [string, ...string[]] | undefined,
): Promise<Pick<LabSpec, 'fixture' | 'prepare' | 'config'>> => {
  const [{ prepareShop, shopConfig }, { DEFAULT_REGIONS }, { dsnOfRegion }] = await Promise.all([
    import('../../../fixtures/shop/lab.ts'),
    import('../../providers/lab/lab.ts'),
    import('../../providers/lab/lab-region.ts'),
  ]);
  return {
    fixture: 'shop',
    prepare: async (lab: Lab) => prepareShop(await Promise.all(lab.regions.map(dsnOfRegion))),
    config: shopConfig(regions ?? DEFAULT_REGIONS),
  };
};

const REGION = /^[a-z0-9][a-z0-9_-]{0,30}$/;
const MAX_REGIONS = 8;

const regionNames = (text: string): [string, ...string[]] => {
  const [first, ...rest] = text.split(',').map((name) => name.trim());
  const names: [string, ...string[]] = [first ?? '', ...rest];
  const refuse = (why: string): XcError => new XcError('XC-1201', { subject: `--regions ${text}`, why });
  const wrong = names.find((name) => !REGION.test(name));
  if (wrong !== undefined)
    throw refuse(`"${wrong}" is no region name: lower-case letters, digits, "-" and "_", at most 31`);
  if (names.length < 2 || names.length > MAX_REGIONS) throw refuse(`from 2 to ${MAX_REGIONS} regions`);
  if (new Set(names).size < names.length) throw refuse('a region is named twice');
  return names;
};

const majorVersion = (text: string): number => {
  if (!/^\d{2}$/.test(text) || Number(text) < 15)
    throw new XcError('XC-1201', { subject: `--pg-version ${text}`, why: 'a major version, 15 or later' });
  return Number(text);
};

const fixtureName = (text: string): 'shop' => {
  if (text !== 'shop')
    throw new XcError('XC-1201', { subject: `--fixture ${text}`, why: 'there is one: shop' });
  return text;
};
