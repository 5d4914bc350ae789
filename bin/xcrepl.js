#!/usr/bin/env node
/**
 * Launcher. Plain JavaScript that older Node versions parse too: under one that is too old it runs the program again
 * with the Node that was installed beside it, or says which version is needed.
 */

const NEEDED = [24, 15];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) {
  // Not imported: an import of a Node module as an ES module reads all that it exports.
  // Compiled code is kept where only the user can write: Node's own choice is a directory that all users share.
  const { XDG_CACHE_HOME: cache, HOME: home, NODE_COMPILE_CACHE: named } = process.env;
  const base = cache?.startsWith('/') ? cache : home?.startsWith('/') ? `${home}/.cache` : undefined;
  if (named || base)
    process.getBuiltinModule('node:module').enableCompileCache(named || `${base}/xcrepl/code`);
  await import('../dist/main.js');
} else {
  const { relaunch } = await import('./relaunch.js');
  relaunch(NEEDED.join('.'));
}
