/**
 * The bytes that record_send gives for a row of texts (PostgreSQL source, rowtypes.c): number of fields, and of each the
 * type's OID, its length and its bytes in the client's encoding, which is UTF-8. Rows that are redacted in the runner
 * become the same bytes here as rows of the target become in SQL.
 */

import { Buffer } from 'node:buffer';

/** OID of text: pg_type.dat. */
const TEXT_OID = 25;
const NULL_LENGTH = -1;

/** Memory that grows and is used again for the next row. */
export class RecordBytes {
  #bytes: Buffer = Buffer.alloc(4096);
  #length = 0;
  readonly #seed: Buffer | null;

  /** @param seed first field of every row */
  constructor(seed: string | null = null) {
    this.#seed = seed === null ? null : Buffer.from(seed, 'utf8');
  }

  /** Valid until the next call. */
  of(fields: readonly (Buffer | null)[]): Buffer {
    this.#length = 0;
    this.#int32(fields.length + (this.#seed ? 1 : 0));
    if (this.#seed) this.#field(this.#seed);
    for (const field of fields) this.#field(field);
    return this.#bytes.subarray(0, this.#length);
  }

  #field(field: Buffer | null): void {
    this.#int32(TEXT_OID);
    this.#int32(field?.length ?? NULL_LENGTH);
    if (!field) return;
    this.#reserve(field.length);
    this.#length += field.copy(this.#bytes, this.#length);
  }

  #int32(value: number): void {
    this.#reserve(4);
    this.#length = this.#bytes.writeInt32BE(value, this.#length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = Buffer.alloc(2 * (this.#length + count));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
