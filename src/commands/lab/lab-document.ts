/** How a lab is shown. Passwords stay in their files: a document names the files. */

import type { Lab, LabRegion } from '../../providers/lab/lab-state.ts';
import type { Painter } from '../frame/host.ts';

export const DEFAULT_DIRECTORY = '.xcrepl/lab/default';

export interface RegionDocument {
  readonly region: string;
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly socketDirectory: string;
  readonly database: string;
  readonly dsnFile: string;
  readonly logFile: string;
}

export interface LabDocument {
  readonly id: string;
  readonly pgVersion: string;
  readonly runsAs: string | null;
  readonly fixture: string | null;
  readonly config: string;
  readonly createdAt: string;
  readonly regions: readonly RegionDocument[];
}

export const labDocument = (lab: Lab): LabDocument => ({
  id: lab.id,
  pgVersion: lab.pgVersion,
  runsAs: lab.user?.name ?? null,
  fixture: lab.fixture,
  config: lab.configPath,
  createdAt: lab.createdAt,
  regions: lab.regions.map((region) => regionDocument(lab, region)),
});

const regionDocument = (lab: Lab, region: LabRegion): RegionDocument => ({
  region: region.name,
  host: '127.0.0.1',
  port: region.port,
  socketDirectory: lab.socketDirectory,
  database: lab.database,
  dsnFile: region.dsnFile,
  logFile: region.logFile,
});

/** @param state one word a region, by its name */
export const labTable = (
  paint: Painter,
  lab: LabDocument,
  state: (region: string) => string = () => paint.good('up'),
): string =>
  [
    paint.table(
      ['region', 'state', 'postgresql', 'port', 'dsn'],
      lab.regions.map((region) => [
        region.region,
        state(region.region),
        lab.pgVersion,
        String(region.port),
        region.dsnFile,
      ]),
    ),
    `configuration: ${lab.config}`,
  ].join('\n');
