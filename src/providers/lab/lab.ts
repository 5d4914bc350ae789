/**
 * A lab: one real PostgreSQL server a region on this machine, with a configuration file that describes them. It
 * survives the process that starts it, and is found again through lab.json in its directory.
 */

import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { XcError } from '../../core/errors/xc-error.ts';
import { findBinaries } from './binaries.ts';
import { lockHolder, underLock } from './file-lock.ts';
import { DATABASE, makeRegion, regionAnswers } from './lab-region.ts';
import { readLab, writeLab, type Lab, type LabRegion } from './lab-state.ts';
import { refuseForeignConfig, writeLabConfig, type LabConfigParts } from './lab-config.ts';
import { publishBinaries } from './program-files.ts';
import { runtimeDirectory } from './runtime-directory.ts';
import { livingServer, stopServer } from './server.ts';
import { canReach, findServerUser } from './server-user.ts';

export const DEFAULT_REGIONS: readonly [string, ...string[]] = ['us-east-1', 'eu-central-1'];

export interface LabSpec {
  /** Where the lab's files are; created when missing. */
  readonly directory: string;
  /** The first one is the primary. Default us-east-1 and eu-central-1. */
  readonly regions?: readonly string[] | undefined;
  /** Default 18, or what pgBin has. */
  readonly pgMajor?: number | undefined;
  /** Directory with initdb and postgres; found by itself where absent. */
  readonly pgBin?: string | undefined;
  /** How the DSNs reach the servers, which always listen on both: a socket that only its owner can open (default), or loopback. */
  readonly via?: 'tcp' | 'socket' | undefined;
  /** False only for throw-away servers: see settings.ts. */
  readonly durable: boolean;
  /** DIRECTORY/xcrepl.yaml where absent. */
  readonly configPath?: string | undefined;
  /** Name of the data set that the caller fills in; part of what makes two labs the same. */
  readonly fixture?: string | undefined;
  /** Tenants, rules and hash keys for the configuration file. */
  readonly config?: LabConfigParts | undefined;
  /** Further settings for postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** Runs when the servers are up and before the lab counts as made. A failure takes the lab down again. */
  readonly prepare?: (lab: Lab) => Promise<void>;
}

export interface LabUp {
  readonly lab: Lab;
  /** False when the same lab was up already. */
  readonly changed: boolean;
  /** Whether remains of a crashed lab were removed first. */
  readonly cleaned: boolean;
}

/**
 * Starts the lab, or finds that it is up. Remains of a crashed or half-made lab in the same directory are removed.
 * @throws XcError XC-1202 when another lab is up there, XC-62xx when a server cannot be made, XC-7002 when another
 * process works on the same directory
 */
export const labUp = async (spec: LabSpec, signal: AbortSignal): Promise<LabUp> => {
  const directory = resolve(spec.directory);
  await mkdir(directory, { recursive: true });
  try {
    return await underLock(lockOf(directory), () => upUnderLock(spec, directory, signal));
  } catch (error) {
    await removeIfEmpty(directory);
    throw error;
  }
};

const upUnderLock = async (spec: LabSpec, directory: string, signal: AbortSignal): Promise<LabUp> => {
  const earlier = await readLab(directory);
  if (earlier && earlier.phase === 'up' && (await isWhole(earlier))) {
    refuseOther(earlier, spec, directory);
    for (const region of earlier.regions) await requireAnswer(region);
    return { lab: earlier, changed: false, cleaned: false };
  }
  if (earlier) await removeLab(directory, earlier);
  const lab = await draftLab(spec, directory);
  await refuseForeignConfig(lab.configPath);
  await writeLab(directory, lab);
  try {
    const made = await makeLab(spec, directory, lab, signal);
    return { lab: made, changed: true, cleaned: earlier !== null };
  } catch (error) {
    await removeLab(directory, (await readLab(directory)) ?? lab);
    throw error;
  }
};

/**
 * Stops the lab's servers and removes what `labUp` made. Returns null when there is no lab.
 * @throws XcError XC-6204 when a server does not stop; the lab is then still described by its lab.json
 */
export const labDown = async (directory: string): Promise<Lab | null> => {
  const path = resolve(directory);
  const lab = await readLab(path);
  if (lab === null) return null;
  await underLock(lockOf(path), () => removeLab(path, lab));
  await removeIfEmpty(path);
  return lab;
};

export interface LabStatus {
  readonly lab: Lab | null;
  /** `crashed`: described, but not every server lives. `starting`: a living process is making it. */
  readonly state: 'up' | 'starting' | 'crashed' | 'absent';
  readonly regions: Readonly<Record<string, RegionStatus>>;
}

export interface RegionStatus {
  readonly pid: number | null;
  readonly answers: boolean;
}

/** What is there; changes nothing. */
export const labStatus = async (directory: string): Promise<LabStatus> => {
  const path = resolve(directory);
  const lab = await readLab(path);
  if (lab === null) return { lab, state: 'absent', regions: {} };
  const regions = await Promise.all(
    lab.regions.map(async (region): Promise<[string, RegionStatus]> => {
      const pid = await livingServer(region.dataDirectory);
      return [region.name, { pid, answers: pid !== null && (await regionAnswers(region)) }];
    }),
  );
  const whole = lab.phase === 'up' && regions.every(([, { pid }]) => pid !== null);
  const busy = !whole && (await lockHolder(lockOf(path))) !== null;
  return { lab, state: whole ? 'up' : busy ? 'starting' : 'crashed', regions: Object.fromEntries(regions) };
};

const lockOf = (directory: string): string => join(directory, 'lab.lock');

const isWhole = async (lab: Lab): Promise<boolean> => {
  for (const region of lab.regions) if ((await livingServer(region.dataDirectory)) === null) return false;
  return true;
};

const requireAnswer = async (region: LabRegion): Promise<void> => {
  if (!(await regionAnswers(region)))
    throw new XcError('XC-6001', {
      subject: region.name,
      why: 'its process lives but does not answer',
      next: `read ${region.logFile}, or start over with xcrepl lab down`,
    });
};

/** A running lab is never quietly replaced, and never taken for another: only what is not asked for may differ. */
const refuseOther = (lab: Lab, spec: LabSpec, directory: string): void => {
  const differences: string[] = [];
  const compare = (what: string, is: string, asked: string | undefined): void => {
    if (asked !== undefined && is !== asked) differences.push(`${what} is ${is}, asked for ${asked}`);
  };
  compare('regions', lab.regions.map((region) => region.name).join(','), spec.regions?.join(','));
  compare('PostgreSQL', String(Number.parseInt(lab.pgVersion, 10)), spec.pgMajor?.toString());
  compare('connection', lab.via, spec.via);
  compare('fixture', lab.fixture ?? 'none', spec.fixture);
  compare('configuration', lab.configPath, spec.configPath && resolve(spec.configPath));
  if (differences.length > 0)
    throw new XcError('XC-1202', {
      subject: directory,
      why: differences.join('; '),
      next: `xcrepl lab down --dir ${directory}, or choose another --dir`,
    });
};

/** Everything that will be made has its place named here before it is made. */
const draftLab = async (spec: LabSpec, directory: string): Promise<Lab> => {
  const binaries = await findBinaries(spec.pgMajor, spec.pgBin);
  const runtime = await runtimeDirectory();
  const user = await findServerUser();
  const id = randomBytes(5).toString('hex');
  const dataRoot = join((await canReach(user, directory)) ? directory : join(runtime, 'lab', id), 'data');
  return {
    schemaVersion: 1,
    id,
    phase: 'starting',
    createdAt: new Date().toISOString(),
    pgVersion: binaries.version,
    bin: await publishBinaries(binaries, runtime),
    database: DATABASE,
    fixture: spec.fixture ?? null,
    via: spec.via ?? 'socket',
    durable: spec.durable,
    user,
    socketDirectory: join(runtime, 's', id),
    dataRoot,
    configPath: resolve(spec.configPath ?? join(directory, 'xcrepl.yaml')),
    regions: (spec.regions ?? DEFAULT_REGIONS).map((name) => ({
      name,
      port: 0,
      dataDirectory: join(dataRoot, name),
      logFile: join(directory, 'log', `${name}.log`),
      dsnFile: join(directory, 'secrets', `${name}.dsn`),
    })),
  };
};

const makeLab = async (spec: LabSpec, directory: string, lab: Lab, signal: AbortSignal): Promise<Lab> => {
  await mkdir(join(directory, 'secrets'), { mode: 0o700 });
  await mkdir(join(directory, 'log'), { mode: 0o700 });
  await makeServerDirectory(lab.dataRoot, lab, 0o755);
  await makeServerDirectory(lab.socketDirectory, lab, 0o700);
  const outcomes = await Promise.allSettled(
    lab.regions.map((region) => makeRegion(lab, region, spec.settings ?? {}, signal)),
  );
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  const regions = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const up: Lab = { ...lab, phase: 'up', regions };
  await spec.prepare?.(up);
  signal.throwIfAborted();
  await writeLabConfig(up, directory, spec.config ?? {});
  await writeLab(directory, up);
  return up;
};

const makeServerDirectory = async (path: string, lab: Lab, mode: number): Promise<void> => {
  await mkdir(path, { recursive: true, mode: 0o755 });
  if (lab.user) await chown(path, lab.user.uid, lab.user.gid);
  await chmod(path, mode);
};

/** Servers first: lab.json goes last, so that what could not be stopped stays described. */
const removeLab = async (directory: string, lab: Lab): Promise<void> => {
  await Promise.all(lab.regions.map((region) => stopServer(region)));
  await rm(lab.dataRoot, REMOVAL);
  await rm(lab.socketDirectory, REMOVAL);
  if (!lab.dataRoot.startsWith(directory + sep)) await removeIfEmpty(resolve(lab.dataRoot, '..'));
  await rm(join(directory, 'secrets'), REMOVAL);
  await rm(join(directory, 'log'), REMOVAL);
  const own = join(directory, 'xcrepl.yaml');
  if (lab.configPath === own) await rm(own, { force: true });
  await rm(join(directory, 'lab.json'), { force: true });
};

/** Orphans of a killed server may still write for a moment, hence the retries. */
const REMOVAL = { recursive: true, force: true, maxRetries: 5, retryDelay: 200 } as const;

const removeIfEmpty = async (path: string): Promise<void> => {
  const entries = await readdir(path).catch(() => null);
  if (entries?.length === 0) await rmdir(path);
};
