/**
 * `run --follow --max-lag D`: ends the run while the lag is above D. Catching up at the start does not count: the limit
 * holds from the first time that the lag is within it.
 */

export class LagLimit {
  readonly #limitMs: number;
  readonly #exceeded: () => void;
  #armed = false;

  constructor(limitMs: number, exceeded: () => void) {
    this.#limitMs = limitMs;
    this.#exceeded = exceeded;
  }

  applied(lagMs: number): void {
    if (lagMs <= this.#limitMs) this.#armed = true;
    else if (this.#armed) this.#exceeded();
  }
}
