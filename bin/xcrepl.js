#!/usr/bin/env node
/**
 * Launcher. Plain JavaScript that older Node versions parse too: under one that is too old it runs the program again
 * with the Node that was installed beside it, or says which version is needed.
 */

import module from 'node:module';

const NEEDED = [24, 15];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) {
  module.enableCompileCache();
  await import('../dist/main.js');
} else {
  const { relaunch } = await import('./relaunch.js');
  relaunch(NEEDED.join('.'));
}
