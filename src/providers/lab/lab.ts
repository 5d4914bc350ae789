/**
 * A lab: one real PostgreSQL server a region on this machine, with a configuration file that describes them. It
 * survives the process that starts it, and is found again through lab.json in its directory.
 */

import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { XcError } from '../../core/errors/xc-error.ts';
import { findBinaries } from './binaries.ts';
import { underLock } from './file-lock.ts';
import { DATABASE, makeRegion } from './lab-region.ts';
import { readLab, writeLab, type Lab } from './lab-state.ts';
import { writeLabConfig, type LabConfigParts } from './lab-config.ts';
import { publishBinaries } from './program-files.ts';
import { runtimeDirectory } from './runtime-directory.ts';
import { livingServer, stopServer } from './server.ts';
import { canReach, findServerUser } from './server-user.ts';

export interface LabSpec {
  /** Where the lab's files are; created when missing. */
  readonly directory: string;
  /** The first one is the primary. */
  readonly regions: readonly string[];
  readonly pgMajor: number;
  /** Directory with initdb and postgres; found by itself where absent. */
  readonly pgBin?: string | undefined;
  /** How the DSNs reach the servers, which always listen on both: a socket that only its owner can open, or loopback. */
  readonly via: 'tcp' | 'socket';
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
  return underLock(join(directory, 'lab.lock'), () => upUnderLock(spec, directory, signal));
};

const upUnderLock = async (spec: LabSpec, directory: string, signal: AbortSignal): Promise<LabUp> => {
  const earlier = await readLab(directory);
  if (earlier && earlier.phase === 'up' && (await isWhole(earlier))) {
    refuseOther(earlier, spec, directory);
    return { lab: earlier, changed: false, cleaned: false };
  }
  if (earlier) await removeLab(directory, earlier);
  const lab = await draftLab(spec, directory);
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
  await underLock(join(path, 'lab.lock'), () => removeLab(path, lab));
  await removeIfEmpty(path);
  return lab;
};

export interface LabStatus {
  readonly lab: Lab | null;
  /** `crashed`: described, but not every server lives. */
  readonly state: 'up' | 'crashed' | 'absent';
  readonly pids: Readonly<Record<string, number | null>>;
}

/** What is there; changes nothing. */
export const labStatus = async (directory: string): Promise<LabStatus> => {
  const lab = await readLab(resolve(directory));
  if (lab === null) return { lab, state: 'absent', pids: {} };
  const pids = await pidsOf(lab);
  const whole = lab.phase === 'up' && Object.values(pids).every((pid) => pid !== null);
  return { lab, state: whole ? 'up' : 'crashed', pids };
};

const pidsOf = async (lab: Lab): Promise<Record<string, number | null>> => {
  const pids: Record<string, number | null> = {};
  for (const region of lab.regions) pids[region.name] = await livingServer(region.dataDirectory);
  return pids;
};

const isWhole = async (lab: Lab): Promise<boolean> =>
  Object.values(await pidsOf(lab)).every((pid) => pid !== null);

/** A running lab is never quietly replaced, and never quietly taken for another. */
const refuseOther = (lab: Lab, spec: LabSpec, directory: string): void => {
  const differences: string[] = [];
  const compare = (what: string, is: string, asked: string): void => {
    if (is !== asked) differences.push(`${what} is ${is}, asked for ${asked}`);
  };
  compare('regions', lab.regions.map((region) => region.name).join(','), spec.regions.join(','));
  compare('PostgreSQL', String(Number.parseInt(lab.pgVersion, 10)), String(spec.pgMajor));
  compare('connections', lab.via, spec.via);
  if (spec.fixture !== undefined) compare('fixture', lab.fixture ?? 'none', spec.fixture);
  if (spec.configPath !== undefined) compare('configuration', lab.configPath, resolve(spec.configPath));
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
    via: spec.via,
    durable: spec.durable,
    user,
    socketDirectory: join(runtime, 's', id),
    dataRoot,
    configPath: resolve(spec.configPath ?? join(directory, 'xcrepl.yaml')),
    regions: spec.regions.map((name) => ({
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
