/** The steps of one stream while they are being planned: numbered s1, s2, … in the order of their running. */

import type { Step } from './plan.ts';

/** A step before it has an id and knows its stream. */
export type Draft = Step extends infer S
  ? S extends Step
    ? Omit<S, 'id' | 'stream' | 'dependsOn'>
    : never
  : never;

export class StepList {
  readonly list: Step[] = [];
  readonly #stream: string;

  constructor(stream: string) {
    this.#stream = stream;
  }

  add(draft: Draft, dependsOn: readonly string[]): string {
    const id = `s${this.list.length + 1}`;
    const { kind, ...rest } = draft;
    this.list.push({ id, kind, stream: this.#stream, ...rest, dependsOn } as Step);
    return id;
  }
}
