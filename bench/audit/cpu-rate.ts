/** How often something is done in a second of this process's own CPU time: what others do on the machine does not count. */

export const cpuRate = (seconds: number, round: () => number): number => {
  const begun = process.cpuUsage();
  let done = 0;
  for (;;) {
    done += round();
    const { user, system } = process.cpuUsage(begun);
    const passed = (user + system) / 1e6;
    if (passed >= seconds) return done / passed;
  }
};
