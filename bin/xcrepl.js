#!/usr/bin/env node
/**
 * Launcher. Plain JavaScript that older Node versions parse too: under one that is too old it runs the program again
 * with the Node that was installed beside it, or says which version is needed.
 */

const NEEDED = [24, 15];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) {
  // Not imported: an import of a Node module as an ES module reads all that it exports.
  process.getBuiltinModule('node:module').enableCompileCache();
  await import('../dist/main.js');
} else {
  const { relaunch } = await import('./relaunch.js');
  relaunch(NEEDED.join('.'));
}
