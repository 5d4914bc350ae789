// Preloaded: writes what a process has loaded into a file when it ends, one name a line.
process.on('exit', () =>
  require('fs').writeFileSync(process.env.LOADED_MODULES, process.moduleLoadList.join('\n')),
);
