/** lab.json: what a lab is made of, written before anything is made, so that a crash leaves nothing that is not named. */

import { join } from 'node:path';
import * as z from 'zod/mini';
import { XcError } from '../../core/errors/xc-error.ts';
import { readIfThere, writeWhole } from './text-file.ts';

const userSchema = z.object({ name: z.string(), uid: z.number(), gid: z.number() });

const regionSchema = z.object({
  name: z.string(),
  port: z.number(),
  dataDirectory: z.string(),
  logFile: z.string(),
  /** Holds the DSN with its password: mode 600. */
  dsnFile: z.string(),
});

const labSchema = z.object({
  schemaVersion: z.literal(1),
  id: z.string(),
  /** `starting` that stays is a lab whose making was cut short. */
  phase: z.enum(['starting', 'up']),
  createdAt: z.string(),
  pgVersion: z.string(),
  bin: z.string(),
  database: z.string(),
  fixture: z.nullable(z.string()),
  via: z.enum(['tcp', 'socket']),
  durable: z.boolean(),
  /** The unprivileged user that runs the servers, or null where they run as their starter. */
  user: z.nullable(userSchema),
  socketDirectory: z.string(),
  dataRoot: z.string(),
  configPath: z.string(),
  regions: z.array(regionSchema).check(z.minLength(1)),
});

export type Lab = z.output<typeof labSchema>;
export type LabRegion = Lab['regions'][number];

const fileOf = (directory: string): string => join(directory, 'lab.json');

/**
 * The lab of a directory, or null when there is none.
 * @throws XcError XC-1203 when the file is no lab's: it is never guessed what to stop and remove
 */
export const readLab = async (directory: string): Promise<Lab | null> => {
  const text = await readIfThere(fileOf(directory));
  if (text === null) return null;
  try {
    return labSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new XcError('XC-1203', { subject: fileOf(directory), cause: error });
  }
};

export const writeLab = (directory: string, lab: Lab): Promise<void> =>
  writeWhole(fileOf(directory), `${JSON.stringify(lab, null, 2)}\n`, 0o600);
