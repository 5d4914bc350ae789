/** A YAML document with the place of everything in it. */

import { isAlias, isMap, isSeq, isScalar, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import type { Mistake, PlacedMistake } from './mistake.ts';

export interface ConfigFile {
  /** Absolute. */
  readonly path: string;
  /** As messages name it. */
  readonly name: string;
  readonly text: string;
}

export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface ConfigDocument {
  readonly value: unknown;
  /** Mistakes of YAML itself: duplicate keys, tabs, open quotes, unknown anchors. */
  readonly mistakes: readonly PlacedMistake[];
  place(path: Mistake['path'], atKey?: boolean): Place;
}

export const readDocument = ({ name, text }: ConfigFile): ConfigDocument => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false });
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const mistakes: PlacedMistake[] = [...document.errors, ...document.warnings].map((error) => ({
    file: name,
    ...placeAt(error.pos[0]),
    path: '',
    message: firstLine(error.message),
  }));
  let value: unknown = null;
  try {
    if (document.errors.length === 0) value = document.toJS();
  } catch (error) {
    // An unknown anchor, or aliases that would expand beyond any sensible size.
    mistakes.push({ file: name, line: 1, column: 1, path: '', message: firstLine(String(error)) });
  }
  return {
    value,
    mistakes,
    place: (path, atKey = false) => placeAt(offsetOf(document, path, atKey)),
  };
};

const firstLine = (text: string): string => text.replace(/^\w*Error: /, '').split('\n')[0] ?? text;

/** The offset of a value or key; of the nearest thing around it where it is not written. */
const offsetOf = (document: Document.Parsed, path: Mistake['path'], atKey: boolean): number => {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [index, key] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
      if (!pair) return offset;
      const keyOffset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value as Node | null;
      offset = atKey && index === path.length - 1 ? keyOffset : (node?.range?.[0] ?? keyOffset);
    } else if (isSeq(node)) {
      node = (node.items[Number(key)] as Node | undefined) ?? null;
      if (!node) return offset;
      offset = node.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
};
