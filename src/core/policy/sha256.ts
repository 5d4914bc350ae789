/** SHA-256's compression function over memory of its own, compiled once for the process. */

import { Buffer } from 'node:buffer';
import { initialState, sha256Module } from './sha256-code.ts';

export const BLOCK_BYTES = 64;
export const DIGEST_BYTES = 32;

export interface Sha256 {
  readonly memory: Buffer;
  /** The state before the first block. */
  readonly initial: Buffer;
  /** Offsets into `memory`: of 64 bytes, of the state that they are added to, and of the one that comes out. */
  readonly compress: (block: number, from: number, to: number) => void;
}

/** The part that is used here; TypeScript knows it only together with browsers' types. */
interface WebAssemblyApi {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer };
      readonly compress: Sha256['compress'];
    };
  };
}

let compiled: object | undefined;

/** @returns null where this Node runs without WebAssembly (`--jitless`) */
export const openSha256 = (): Sha256 | null => {
  const { WebAssembly: api } = globalThis as { readonly WebAssembly?: WebAssemblyApi };
  if (!api) return null;
  compiled ??= new api.Module(sha256Module());
  const { memory, compress } = new api.Instance(compiled).exports;
  const initial = Buffer.alloc(DIGEST_BYTES);
  for (const [word, value] of initialState.entries()) initial.writeInt32BE(value, word * 4);
  return { memory: Buffer.from(memory.buffer), initial, compress };
};
