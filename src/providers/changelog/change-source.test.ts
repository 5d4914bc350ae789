import { changeSourceContract } from '../../../test/contracts/change-source.contract.ts';
import { lsnOf } from '../../core/change/lsn.ts';
import { openSmall, smallLog } from './small-log.fixture.ts';

/** Bytes after which a file is full: some transactions. */
const ROTATE_BYTES = 1_500;

changeSourceContract(async () => {
  const log = await smallLog(ROTATE_BYTES);
  let written = 0n;
  return {
    start: lsnOf(1n),
    async write(rows) {
      await log.transaction(rows);
      return lsnOf(++written * 10n);
    },
    open: (from, until) => openSmall(log.path, from, until),
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
  };
});
