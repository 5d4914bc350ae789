/** A mistake in a configuration: where it stands and what is wrong with it. Never the value itself: it may be secret. */

export interface Mistake {
  /** Keys from the top of the document: ["rules", 0, "from"]. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** Points at the last key of the path rather than at its value. */
  readonly atKey?: boolean;
}

export interface PlacedMistake {
  readonly file: string;
  /** 1-based; absent where the value came from no file. */
  readonly line?: number;
  readonly column?: number;
  /** "rules[0].from" */
  readonly path: string;
  readonly message: string;
}

/** "rules[0].from"; keys that hold dots or brackets are quoted: `columns["shop.customers"].email`. */
export const pathText = (path: readonly (string | number)[]): string =>
  path
    .map((key, index) => {
      if (typeof key === 'number') return `[${key}]`;
      if (/^[\w-]+$/.test(key)) return index === 0 ? key : `.${key}`;
      return `[${JSON.stringify(key)}]`;
    })
    .join('');

/** "xcrepl.yaml:12:5 rules[0].from: no region of this name" */
export const mistakeText = ({ file, line, column, path, message }: PlacedMistake): string =>
  `${[file, line, column].filter((part) => part !== undefined).join(':')}${path === '' ? '' : ` ${path}`}: ${message}`;
