/**
 * Whether a value that one server sends in binary format may be given to another in binary format.
 *
 * Arrays and composites carry the OIDs of their element and field types, and user-defined types have other OIDs on
 * every server. Nothing needs to be rewritten for that: since PostgreSQL 14 array_recv and record_recv complain about
 * another OID only when both are below 10000 (FirstGenbkiObjectId), and otherwise read the bytes as the type that
 * the column really has. That is also the danger: a composite whose fields stand in another order is read without any
 * complaint. So types are compared by structure here, before the first value is sent.
 */

import type { TypeFacts } from '../topology/table.ts';

export type Types = ReadonlyMap<number, TypeFacts>;

/** OIDs below this are assigned by hand in PostgreSQL's sources and mean the same on every server (transam.h). */
const FIRST_GENBKI_OID = 10_000;

/**
 * Types that name an object of the catalogue and send its OID, which names another object on another server; and those
 * whose receive functions refuse the empty value that their send functions wrote (tsqueryrecv, oidvectorrecv and
 * int2vectorrecv, in PostgreSQL 15 to 18).
 */
const ONLY_AS_TEXT = new Set([
  'int2vector',
  'oidvector',
  'regclass',
  'regcollation',
  'regconfig',
  'regdatabase',
  'regdictionary',
  'regnamespace',
  'regoper',
  'regoperator',
  'regproc',
  'regprocedure',
  'regrole',
  'regtype',
  'tsquery',
]);

/** Binary format is the text itself for these: textsend, enum_send. */
const SENT_AS_TEXT = new Set(['text', 'varchar', 'bpchar', 'citext']);
const SENT_AS_BITS = new Set(['bit', 'varbit']);

/**
 * True when the type, or a type inside it, has no binary format or one that means something else on another server.
 * Such columns must be asked for as text. A type that the catalogue does not hold counts as unsafe.
 */
export const unsafeInBinary = (typeOid: number, types: Types): boolean => {
  const type = types.get(typeOid);
  if (!type || !type.hasBinary || ONLY_AS_TEXT.has(type.name)) return true;
  return insideOf(type).some((oid) => unsafeInBinary(oid, types));
};

const insideOf = (type: TypeFacts): readonly number[] => [
  ...[type.elementOid, type.baseOid, type.rangeSubtypeOid].filter((oid) => oid !== 0),
  ...type.attributes.map((attribute) => attribute.typeOid),
];

/**
 * Why a binary value of the source's type cannot be received as the target's type, or null when it can, with the same
 * meaning. Labels of enums are not compared: an enum is sent by its label, and a missing one is an error at the target.
 */
export const binaryMismatch = (
  sourceOid: number,
  sourceTypes: Types,
  targetOid: number,
  targetTypes: Types,
): string | null => mismatch(sourceOid, sourceTypes, targetOid, targetTypes, false);

/** @param carriesOid whether the value stands inside an array or composite, which name its OID */
const mismatch = (
  sourceOid: number,
  sourceTypes: Types,
  targetOid: number,
  targetTypes: Types,
  carriesOid: boolean,
): string | null => {
  const declaredSource = sourceTypes.get(sourceOid);
  const declaredTarget = targetTypes.get(targetOid);
  if (!declaredSource || !declaredTarget)
    return `type ${declaredSource ? targetOid : sourceOid} is not in the catalogue`;
  const differ = `${spell(declaredSource)} is not ${spell(declaredTarget)}`;
  if (carriesOid && sourceOid !== targetOid && sourceOid < FIRST_GENBKI_OID && targetOid < FIRST_GENBKI_OID)
    return differ;
  const source = withoutDomain(declaredSource, sourceTypes);
  const target = withoutDomain(declaredTarget, targetTypes);
  if (!source || !target) return differ;
  const inner = (a: number, b: number, carries: boolean): string | null =>
    mismatch(a, sourceTypes, b, targetTypes, carries);

  if (isArray(source) || isArray(target))
    return isArray(source) && isArray(target) ? inner(source.elementOid, target.elementOid, true) : differ;
  if (source.kind === 'c' && target.kind === 'c') return compositeMismatch(source, target, inner);
  if ((source.kind === 'r' || source.kind === 'm') && source.kind === target.kind)
    return inner(source.rangeSubtypeOid, target.rangeSubtypeOid, false);
  return sameFormat(source, target) ? null : differ;
};

const compositeMismatch = (
  source: TypeFacts,
  target: TypeFacts,
  inner: (a: number, b: number, carries: boolean) => string | null,
): string | null => {
  const sourceNames = fieldNames(source);
  const targetNames = fieldNames(target);
  if (JSON.stringify(sourceNames) !== JSON.stringify(targetNames))
    return `${spell(source)} has fields (${sourceNames.join(', ')}), ${spell(target)} has (${targetNames.join(', ')})`;
  for (const [i, attribute] of source.attributes.entries()) {
    const why = inner(attribute.typeOid, target.attributes[i]?.typeOid ?? 0, true);
    if (why !== null) return `field ${attribute.name} of ${spell(source)}: ${why}`;
  }
  return null;
};

const fieldNames = (type: TypeFacts): string[] => type.attributes.map(({ name }) => name);

const sameFormat = (source: TypeFacts, target: TypeFacts): boolean => formatOf(source) === formatOf(target);

const formatOf = (type: TypeFacts): string => {
  if (type.kind === 'e' || SENT_AS_TEXT.has(type.name)) return 'text';
  if (SENT_AS_BITS.has(type.name)) return 'bits';
  return type.oid < FIRST_GENBKI_OID ? String(type.oid) : `${type.kind} ${type.name}`;
};

const isArray = (type: TypeFacts): boolean => type.category === 'A' && type.elementOid !== 0;

const withoutDomain = (type: TypeFacts, types: Types): TypeFacts | undefined =>
  type.kind === 'd' ? withBase(type, types) : type;

const withBase = (domain: TypeFacts, types: Types): TypeFacts | undefined => {
  const base = types.get(domain.baseOid);
  return base && withoutDomain(base, types);
};

const spell = (type: TypeFacts): string => `${type.schema}.${type.name}`;
