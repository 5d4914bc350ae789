/**
 * Frontend messages, written one after another into one growing buffer, so that a whole batch leaves in one write.
 * Formats: PostgreSQL documentation, 54.7 (Message Formats).
 */

const MINIMUM = 16 * 1024;
/** Past this the memory of one exceptional batch is given back. */
const KEEP = 32 * 2 ** 20;

export class MessageWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(MINIMUM);
  #length = 0;

  /**
   * What was written since the last `take`; valid until the next write, so the exchange that sends it must be over by
   * then. The memory is used again: a batch's worth of it would else be garbage after every batch.
   */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#length);
    if (this.#bytes.length > KEEP) this.#bytes = Buffer.allocUnsafeSlow(MINIMUM);
    this.#length = 0;
    return bytes;
  }

  get length(): number {
    return this.#length;
  }

  /** Simple query. */
  query(sql: string): this {
    return this.#message(0x51, () => this.#text(sql));
  }

  /** Parse: names a statement; parameter types as OIDs, 0 where the server may choose. */
  parse(name: string, sql: string, types: readonly number[] = []): this {
    return this.#message(0x50, () => {
      this.#text(name);
      this.#text(sql);
      this.#int16(types.length);
      for (const type of types) this.#uint32(type);
    });
  }

  /** Bind with a format for all parameters or for each. A null parameter is NULL. */
  bind(
    name: string,
    parameters: readonly (Uint8Array | string | null)[],
    format: 'text' | readonly (0 | 1)[],
    resultFormat: 0 | 1 = 0,
  ): this {
    return this.#message(0x42, () => {
      this.#text('');
      this.#text(name);
      this.#formats(format === 'text' ? [] : format);
      this.#int16(parameters.length);
      for (const parameter of parameters) this.#parameter(parameter);
      this.#formats(resultFormat === 0 ? [] : [1]);
    });
  }

  execute(): this {
    return this.#message(0x45, () => {
      this.#text('');
      this.#uint32(0);
    });
  }

  describeStatement(name: string): this {
    return this.#message(0x44, () => {
      this.byte(0x53);
      this.#text(name);
    });
  }

  closeStatement(name: string): this {
    return this.#message(0x43, () => {
      this.byte(0x53);
      this.#text(name);
    });
  }

  sync(): this {
    return this.#message(0x53, () => {});
  }

  copyDone(): this {
    return this.#message(0x63, () => {});
  }

  copyFail(reason: string): this {
    return this.#message(0x66, () => this.#text(reason));
  }

  /** Opens a CopyData message; returns the place of its length, for `closeMessage`. */
  openCopyData(): number {
    return this.#open(0x64);
  }

  closeMessage(place: number): void {
    this.#bytes.writeUInt32BE(this.#length - place, place);
  }

  raw(bytes: Uint8Array, start = 0, end = bytes.length): this {
    const length = end - start;
    this.#reserve(length);
    if (length < 48) for (let i = 0; i < length; i++) this.#bytes[this.#length + i] = bytes[start + i] ?? 0;
    else
      this.#bytes.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), this.#length);
    this.#length += length;
    return this;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  int32(value: number): void {
    this.#reserve(4);
    this.#bytes.writeInt32BE(value, this.#length);
    this.#length += 4;
  }

  /** Overwrites four bytes written before: a length or count known only afterwards. */
  patchInt32(place: number, value: number): void {
    this.#bytes.writeInt32BE(value, place);
  }

  /**
   * Bind with a first binary parameter whose bytes the caller writes (an array of rows), and an optional int8 after it.
   * @param body writes the parameter's bytes with raw, byte and int32
   */
  bindRows(name: string, count: number | null, body: () => void): this {
    return this.#message(0x42, () => {
      this.#text('');
      this.#text(name);
      this.#int16(1);
      this.#int16(1);
      this.#int16(count === null ? 1 : 2);
      this.int32(0);
      const start = this.#length;
      body();
      this.patchInt32(start - 4, this.#length - start);
      if (count !== null) {
        this.int32(8);
        this.int32(Math.floor(count / 2 ** 32));
        this.int32(count | 0);
      }
      this.#int16(0);
    });
  }

  #formats(formats: readonly (0 | 1)[]): void {
    this.#int16(formats.length);
    for (const one of formats) this.#int16(one);
  }

  #parameter(value: Uint8Array | string | null): void {
    if (value === null) this.int32(-1);
    else {
      const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
      this.int32(bytes.length);
      this.raw(bytes);
    }
  }

  #open(type: number): number {
    this.#reserve(5);
    this.#bytes[this.#length] = type;
    const place = this.#length + 1;
    this.#length += 5;
    return place;
  }

  #message(type: number, body: () => void): this {
    const place = this.#open(type);
    body();
    this.closeMessage(place);
    return this;
  }

  #text(text: string): void {
    const length = Buffer.byteLength(text);
    this.#reserve(length + 1);
    this.#length += this.#bytes.write(text, this.#length, 'utf8');
    this.#bytes[this.#length++] = 0;
  }

  #int16(value: number): void {
    this.#reserve(2);
    this.#bytes.writeInt16BE(value, this.#length);
    this.#length += 2;
  }

  #uint32(value: number): void {
    this.#reserve(4);
    this.#bytes.writeUInt32BE(value, this.#length);
    this.#length += 4;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
