/** Types whose values are plain text, so that a hash or a mask of one is again a value of the type. */

const SAME_TYPE: Readonly<Record<string, string>> = {
  text: 'text',
  citext: 'citext',
  varchar: 'varchar',
  'character varying': 'varchar',
  bpchar: 'bpchar',
  character: 'bpchar',
};

/** atttypmod of varchar(n) and char(n) counts the four bytes of a length word (PostgreSQL, varchar.c). */
const LENGTH_WORD = 4;

export interface TextType {
  /** Longest value in characters; Infinity where the type sets no limit. */
  readonly maxCharacters: number;
}

/**
 * The text type of that name, or null when it is none.
 * @param typeName pg_type.typname or format_type's form, with or without schema and modifier
 */
export const textTypeOf = (typeName: string, typeModifier: number): TextType | null => {
  const bare = typeName.replace(/\(\d+\)$/, '').replace(/^.*\./, '');
  const known = Object.hasOwn(SAME_TYPE, bare) ? SAME_TYPE[bare] : undefined;
  if (known === undefined) return null;
  const limited = known === 'varchar' || known === 'bpchar';
  return {
    maxCharacters: limited && typeModifier >= LENGTH_WORD ? typeModifier - LENGTH_WORD : Infinity,
  };
};
