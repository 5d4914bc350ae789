/** What a type is made of, as far as the text of its values depends on it. */

import type { TypeFacts } from '../../../core/topology/table.ts';

export interface TypeShape {
  readonly schema: string;
  readonly name: string;
  readonly kind: 'plain' | 'array' | 'composite' | 'range' | 'multirange';
  /** Element of an array, subtype of a range or multirange; null for the others. */
  readonly of: TypeShape | null;
  /** Of a composite, in order. */
  readonly attributes: readonly { readonly name: string; readonly type: TypeShape }[];
}

/** The type underneath, after every domain. @param name of a type that the catalogue does not have */
export const shapeOf = (oid: number, types: ReadonlyMap<number, TypeFacts>, name = ''): TypeShape => {
  let type = types.get(oid);
  while (type?.kind === 'd') type = types.get(type.baseOid);
  if (!type) return { schema: '', name, kind: 'plain', of: null, attributes: [] };
  const plain = { schema: type.schema, name: type.name, of: null, attributes: [] };
  const made = (kind: TypeShape['kind'], of: number): TypeShape => ({
    ...plain,
    kind,
    of: shapeOf(of, types),
  });
  if (type.kind === 'r') return made('range', type.rangeSubtypeOid);
  if (type.kind === 'm') return made('multirange', type.rangeSubtypeOid);
  if (type.category === 'A' && type.elementOid !== 0) return made('array', type.elementOid);
  if (type.kind !== 'c') return { ...plain, kind: 'plain' };
  const attributes = type.attributes.map((each) => ({ name: each.name, type: shapeOf(each.typeOid, types) }));
  return { ...plain, kind: 'composite', attributes };
};
