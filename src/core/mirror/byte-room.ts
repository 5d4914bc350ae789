/** Memory that many transfers share: whoever wants more than is left waits, in the order of asking. */

export class ByteRoom {
  readonly #most: number;
  #used = 0;
  readonly #waiting: { readonly bytes: number; readonly enter: () => void }[] = [];

  constructor(mostBytes: number) {
    this.#most = mostBytes;
  }

  /** A single piece that is larger than all there is has it alone. The caller gives it back once. */
  async take(bytes: number): Promise<() => void> {
    if (this.#waiting.length > 0 || !this.#fits(bytes))
      await new Promise<void>((enter) => this.#waiting.push({ bytes, enter }));
    else this.#used += bytes;
    let held = true;
    return () => {
      if (held) this.#give(bytes);
      held = false;
    };
  }

  #fits(bytes: number): boolean {
    return this.#used === 0 || this.#used + bytes <= this.#most;
  }

  #give(bytes: number): void {
    this.#used -= bytes;
    for (let next = this.#waiting[0]; next && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#used += next.bytes;
      next.enter();
    }
  }
}
