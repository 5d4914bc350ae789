/** Walks plain data by paths: what a document holds at a place, and every value in it that holds no others. */

type Path = readonly (string | number)[];

export const valueAt = (document: unknown, path: Path): unknown => {
  let value = document;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
};

/** Keys of lists are numbers, in paths as in messages. Absent optional values are no leaves. */
export const visitLeaves = (value: unknown, path: Path, visit: (path: Path, leaf: unknown) => void): void => {
  if (typeof value !== 'object' || value === null) {
    if (value !== undefined) visit(path, value);
    return;
  }
  for (const [key, item] of Object.entries(value))
    visitLeaves(item, [...path, Array.isArray(value) ? Number(key) : key], visit);
};
