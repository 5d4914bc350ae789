/** A body in pieces of equal size, as stores want their parts: bounded by one piece, whatever came in. */

/** Pieces of exactly `size` bytes, the last one shorter; one empty piece for an empty body. Each is the caller's own. */
export async function* gathered(body: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let piece = Buffer.allocUnsafe(0);
  let filled = 0;
  let yielded = false;
  for await (const chunk of body) {
    let at = 0;
    while (at < chunk.byteLength) {
      if (piece.byteLength < size && filled === piece.byteLength)
        piece = grown(piece, filled, chunk.byteLength - at, size);
      const take = Math.min(chunk.byteLength - at, piece.byteLength - filled);
      piece.set(chunk.subarray(at, at + take), filled);
      filled += take;
      at += take;
      if (filled < size) continue;
      yield piece;
      yielded = true;
      piece = Buffer.allocUnsafe(0);
      filled = 0;
    }
  }
  if (filled > 0 || !yielded) yield piece.subarray(0, filled);
}

/** A small body takes little memory: room doubles up to a whole piece. */
const grown = (
  piece: Buffer<ArrayBuffer>,
  filled: number,
  wanted: number,
  size: number,
): Buffer<ArrayBuffer> => {
  const room = Buffer.allocUnsafe(Math.min(size, Math.max(filled * 2, filled + wanted, 64 * 1024)));
  room.set(piece.subarray(0, filled));
  return room;
};
