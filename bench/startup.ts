/**
 * Start-up of the built program against `node -e 0`, through a pipe, in pairs. The status row names servers that refuse
 * at once, so that it loads configuration, driver and frame and waits for no network.
 *
 *   npm run bench:startup -- [--pairs 41] [--json FILE]
 */

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { comparePairs, report, type Measured } from './pairs.ts';

const { values: flags } = parseArgs({
  options: { pairs: { type: 'string', default: '41' }, json: { type: 'string' } },
});

const LAUNCHER = join(import.meta.dirname, '../bin/xcrepl.js');
const directory = await mkdtemp(join(tmpdir(), 'xcrepl-bench-'));

const CONFIG = `schemaVersion: 1
controlPlane: bench
regions:
  us-east-1: { zone: us, initialRole: primary, postgres: { dsn: env:PRIMARY } }
  eu-central-1: { zone: eu, postgres: { dsn: env:SECONDARY } }
tenants:
  acme: { scope: { kind: column, column: tenant_id, value: acme } }
rules:
  - { id: shop, tenants: [acme], tables: [shop.*], from: us-east-1, to: [eu-central-1], lagObjective: 5s }
`;

/** Nothing listens on port 1, which is reserved (RFC 6335: tcpmux). */
const env = {
  HOME: directory,
  PRIMARY: 'postgres://bench:bench@127.0.0.1:1/bench',
  SECONDARY: 'postgres://bench:bench@127.0.0.1:1/bench',
};

/** Milliseconds from the start of a process to the end of its output. */
const time = (args: readonly string[], exit: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const child = spawn(process.execPath, args, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.resume();
    child.stderr.resume();
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === exit) resolve(performance.now() - startedMs);
      else reject(new Error(`${args.join(' ')} ended with ${code}, not ${exit}`));
    });
  });

const PATHS: readonly { readonly args: readonly string[]; readonly exit: number }[] = [
  { args: ['--version'], exit: 0 },
  { args: ['--help'], exit: 0 },
  { args: ['config', 'validate', '-o', 'json'], exit: 0 },
  { args: ['replication', 'status', '-o', 'json'], exit: 5 },
];

try {
  await writeFile(join(directory, 'xcrepl.yaml'), CONFIG);
  // Compiled code and the checked configuration are there from the second start on, as for any user.
  for (let round = 0; round < 2; round++)
    for (const { args, exit } of PATHS) await time([LAUNCHER, ...args], exit);
  const rows: Measured[] = [];
  for (const { args, exit } of PATHS)
    rows.push(
      await comparePairs({
        path: `xcrepl ${args.join(' ')}`,
        against: 'node -e 0',
        unit: 'ms',
        ratio: 'time',
        pairs: Number(flags.pairs),
        ours: async () => ({ value: await time([LAUNCHER, ...args], exit) }),
        theirs: async () => ({ value: await time(['-e', '0'], 0) }),
      }),
    );
  await report(rows, flags.json);
} finally {
  await rm(directory, { recursive: true, force: true });
}
