/** Ends a test run with one plain line that scripts read: "N passed, N failed", and ", N skipped" where some were. */

import { writeSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      let ownFailures = 0;
      for (const test of module.children.allTests()) {
        count[test.result().state]++;
        if (test.result().state === 'failed') ownFailures++;
      }
      // A file that could not be loaded, or whose hooks failed, has no failed test to count.
      if (ownFailures === 0 && module.state() === 'failed') count.failed++;
    }
    const skipped = count.skipped + count.pending;
    writeSync(
      1,
      `${count.passed} passed, ${count.failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`,
    );
  }
}
