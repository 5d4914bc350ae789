/** What a tuple's writer asks of a policy: the bytes of one field, as they may leave the region. */

import type { Buffer } from 'node:buffer';

export interface FieldRedactor {
  readonly kind: 'allow' | 'drop' | 'mask' | 'hash';
  /** Bytes that `write` gives, where they do not depend on the field; -1 for allow, 0 for drop. */
  readonly fixedLength: number;
  /**
   * Writes the redacted field [start, end) of `source` into `target` at `at` and returns the number of bytes written.
   * The caller has made room: `end - start` for allow, else `fixedLength`.
   */
  write(source: Buffer, start: number, end: number, target: Buffer, at: number): number;
}
