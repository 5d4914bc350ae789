/** A host of commands in a directory of its own, whose regions have object stores and no database. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeHost } from '../../src/commands/frame/make-host.ts';
import type { Host } from '../../src/commands/frame/host.ts';
import { createRedactor } from '../../src/commands/frame/redactor.ts';
import { createStopper } from '../../src/commands/frame/stopper.ts';
import type { Clock } from '../../src/core/time/clock.ts';
import { systemClock } from '../../src/providers/system/clock.ts';

export interface AuditHost {
  readonly host: Host;
  /** What was said on stderr. */
  readonly said: string[];
}

/** @param stores `objects:` of region "eu" and, where two are given, of "us" */
export const auditHost = async (
  cwd: string,
  stores: readonly object[],
  controlPlane = 'acme',
): Promise<AuditHost> => {
  await mkdir(cwd, { recursive: true });
  const names = ['eu', 'us'];
  const regions = Object.fromEntries(stores.map((objects, at) => [names[at], { zone: names[at], objects }]));
  await writeFile(
    join(cwd, 'xcrepl.yaml'),
    JSON.stringify({ schemaVersion: 1, controlPlane, environment: 'lab', regions }),
  );
  return hostIn(cwd);
};

/** A host in a directory that has its configuration. */
export const hostIn = (cwd: string, clock: Clock = systemClock): AuditHost => {
  const said: string[] = [];
  const host = makeHost({
    flags: {
      config: undefined,
      output: 'json',
      quiet: false,
      verbose: false,
      color: false,
      progress: 'none',
      timeoutMs: undefined,
      lockTimeoutMs: undefined,
      input: false,
      yes: false,
      dryRun: false,
      metricsTextfile: undefined,
    },
    clock,
    random: { next: () => 0 },
    env: { KEY: 'an-access-key', SECRET: 'a-secret-key' },
    cwd,
    version: '0',
    commit: '0',
    terminal: { stdout: false, stderr: false, canAsk: false },
    stopper: createStopper(),
    redactor: createRedactor(),
    writeOut: () => undefined,
    writeErr: (text) => void said.push(text),
    writesNothing: () => false,
    leftovers: new Set(),
  });
  return { host, said };
};
