/** A body in pieces of set sizes, as stores want their parts: bounded by one piece, whatever came in. */

/** How many bytes the piece of this number, from 1, has. */
export type PieceSize = (number: number) => number;

/** Pieces of exactly these sizes, the last one shorter; one empty piece for an empty body. Each is the caller's own. */
export async function* gathered(
  body: AsyncIterable<Uint8Array>,
  bytes: number | PieceSize,
): AsyncGenerator<Uint8Array> {
  const sizeOf: PieceSize = typeof bytes === 'number' ? () => bytes : bytes;
  let number = 1;
  let size = sizeOf(number);
  let piece = Buffer.allocUnsafe(0);
  let filled = 0;
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
      number += 1;
      size = sizeOf(number);
      piece = Buffer.allocUnsafe(0);
      filled = 0;
    }
  }
  if (filled > 0 || number === 1) yield piece.subarray(0, filled);
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
