/**
 * What somebody who can write the log's directory, and holds its key, may do to a log that got
 * some entries after an earlier anchor: each leaves a log that is whole in itself, or as whole as such a change can leave it, so that an anchor has to tell.
 */

import { readdirSync } from 'node:fs';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditLog } from '../../src/core/audit/log.ts';

export interface Attacked {
  readonly path: string;
  /** A copy of the directory as it was when the log had `early` entries. */
  readonly earlier: string;
  readonly early: number;
  /** The log over what lies in the directory now: signs whatever tree there is. */
  readonly open: () => AuditLog;
}

export interface Attack {
  readonly name: string;
  readonly change: (log: Attacked) => Promise<void>;
  /** Whether the log's own files show it already, or the anchor alone. */
  readonly resigned: boolean;
  /** A finding that says where. @param size entries before the change @param early see above */
  readonly located: (size: number, early: number) => { readonly subject: RegExp; readonly seen: RegExp };
}

const anyPlace = /^region /;

const firstFile = (path: string): string => {
  const directory = join(path, 'entries');
  return join(
    directory,
    readdirSync(directory)
      .filter((name) => name.endsWith('.ndjson'))
      .toSorted()[0]!,
  );
};

const lines = async (path: string, change: (lines: string[]) => string[]): Promise<void> => {
  const file = firstFile(path);
  const text = (await readFile(file, 'latin1')).replaceAll('\0', '');
  await writeFile(file, `${change(text.split('\n').slice(0, -1)).join('\n')}\n`, 'latin1');
};

/** Everything that is made from the entries is made again, and signed. */
const signAgain = async ({ path, open }: Attacked): Promise<void> => {
  await rm(join(path, 'tile'), { recursive: true, force: true });
  await rm(join(path, 'checkpoint'), { force: true });
  await using log = open();
  await log.publish();
};

const between = (from: number, to: number) =>
  new RegExp(`among the entries ${from} to ${to - 1} was changed`);

export const ATTACKS: readonly Attack[] = [
  {
    name: 'the tail cut off, and the rest signed again',
    change: async (log) => {
      await lines(log.path, (all) => all.slice(0, -2));
      await signAgain(log);
    },
    resigned: true,
    located: (size) => ({
      subject: anyPlace,
      seen: new RegExp(`speaks of ${size} entries; the last 2 are missing`),
    }),
  },
  {
    name: 'a byte edited, and all signed again',
    change: async (log) => {
      await lines(log.path, (all) =>
        all.map((line, at) => (at === log.early + 1 ? line.replace('"actor":"', '"actor":"x') : line)),
      );
      await signAgain(log);
    },
    resigned: true,
    located: (size, early) => ({ subject: anyPlace, seen: between(early, size) }),
  },
  {
    name: 'two entries in another order, and all signed again',
    change: async (log) => {
      await lines(log.path, (all) => {
        [all[log.early], all[log.early + 1]] = [all[log.early + 1]!, all[log.early]!];
        return all;
      });
      await signAgain(log);
    },
    resigned: true,
    located: (size, early) => ({ subject: anyPlace, seen: between(early, size) }),
  },
  {
    name: 'a tile replaced by that of another tree',
    change: async ({ path }) => {
      const [tile] = readdirSync(join(path, 'tile/0')).filter((name) => name.startsWith('000'));
      const widths = readdirSync(join(path, 'tile/0', tile!)).map(Number);
      const at = join(path, 'tile/0', tile!, String(Math.max(...widths)));
      const bytes = await readFile(at);
      bytes.copy(bytes, 0, 32, 64);
      await writeFile(at, bytes);
    },
    resigned: false,
    located: () => ({ subject: /^entry 0$/, seen: /not the entry that tile\/0\/000\.p\/\d+ speaks of/ }),
  },
  {
    name: 'the checkpoint rolled back to an earlier one',
    change: ({ path, earlier }) => cp(join(earlier, 'checkpoint'), join(path, 'checkpoint')),
    resigned: false,
    located: (size, early) => ({
      subject: /^checkpoint$/,
      seen: new RegExp(
        `speaks of ${early} entries, and the anchor at region .* of ${size}: it was rolled back`,
      ),
    }),
  },
  {
    name: 'an earlier copy of the whole directory put back',
    change: async ({ path, earlier }) => {
      await rm(path, { recursive: true });
      await cp(earlier, path, { recursive: true });
    },
    resigned: true,
    located: (size, early) => ({
      subject: anyPlace,
      seen: new RegExp(`speaks of ${size} entries; the last ${size - early} are missing`),
    }),
  },
];
