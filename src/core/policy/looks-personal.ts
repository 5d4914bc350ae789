/**
 * Whether the values of a column look like personal data, by their form or by the column's name. A guess that asks a
 * person to classify the column; it never decides anything.
 */

import type { PII_CLASSES } from '../config/tenant-schema.ts';

type PiiClass = (typeof PII_CLASSES)[number];

export interface Likeness {
  readonly pii: PiiClass;
  /** "e-mail addresses", "a common name for phones". */
  readonly as: string;
  /** Values of the sample that look so; 0 where the name alone says it. */
  readonly hits: number;
}

interface Form {
  readonly pii: PiiClass;
  readonly as: string;
  readonly fits: (value: string) => boolean;
}

const digitsOf = (value: string): string => value.replaceAll(/[ -]/g, '');

/** ISO 13616: moved four characters, letters as numbers, remainder 1 of 97. */
export const isIban = (value: string): boolean => {
  const iban = value.replaceAll(' ', '').toUpperCase();
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(iban)) return false;
  let rest = 0;
  for (const character of iban.slice(4) + iban.slice(0, 4))
    for (const digit of Number.parseInt(character, 36).toString()) rest = (rest * 10 + Number(digit)) % 97;
  return rest === 1;
};

/** ISO/IEC 7812-1, annex B (Luhn), over 13 to 19 digits as cards have them. */
export const isCard = (value: string): boolean => {
  const digits = digitsOf(value);
  if (!/^[2-6]\d{12,18}$/.test(digits)) return false;
  let sum = 0;
  for (const [at, digit] of digits.split('').toReversed().entries()) {
    const twice = Number(digit) * (at % 2 === 1 ? 2 : 1);
    sum += twice > 9 ? twice - 9 : twice;
  }
  return sum % 10 === 0;
};

const EMAIL = /^[^\s@<>]+@[^\s@<>]+\.[a-z]{2,}$/i;
/** A plus or leading zero, or separators: a bare number is more often a number. E.164 has at most 15 digits. */
const PHONE = /^(\+|00?)?[\d\s()./-]{7,20}$/;
const isPhone = (value: string): boolean => {
  const digits = value.replaceAll(/\D/g, '');
  if (!PHONE.test(value) || digits.length < 7 || digits.length > 15) return false;
  if (/^\d{4}-\d{2}-\d{2}/.test(value)) return false;
  return /^\+|^0\d|\(\d+\)|\d[ /-]\d/.test(value);
};

const FORMS: readonly Form[] = [
  { pii: 'email', as: 'e-mail addresses', fits: (value) => EMAIL.test(value) },
  { pii: 'id', as: 'IBANs', fits: isIban },
  { pii: 'id', as: 'card numbers', fits: isCard },
  { pii: 'phone', as: 'phone numbers', fits: isPhone },
];

const NAMES: readonly [RegExp, PiiClass][] = [
  [/(^|_)e?_?mail(_?addr(ess)?)?($|_)/, 'email'],
  [/(^|_)(phone|mobile|telephone|tel|fax|msisdn)(_?(no|nr|number))?($|_)/, 'phone'],
  [/(^|_)(first|last|full|sur|given|family|maiden|middle|contact|customer|person)_?name($|_)/, 'name'],
  [/(^|_)(street|address|addr|postcode|zip(_?code)?|postal_?code|ship_to|bill_to)($|_)/, 'address'],
  [
    /(^|_)(ssn|iban|passport|tax_?id|national_?id|social_security|card_?(no|number)|birth_?date|date_of_birth|dob)($|_)/,
    'id',
  ],
  [/(^|_)(note|notes|comment|comments|remark|remarks|free_?text|bio)($|_)/, 'free-text'],
];

/** Of those values that are not empty, this part must have the form. */
const LEAST_PART = 0.5;
/** Fewer say nothing of a column. */
const LEAST_HITS = 1;

/** The strongest likeness, or null. Values first, since a name may be anything. */
export const looksPersonal = (name: string, values: readonly (string | null)[]): Likeness | null => {
  const given = values.flatMap((value) => {
    const trimmed = value?.trim() ?? '';
    return trimmed === '' ? [] : [trimmed];
  });
  const found = FORMS.map(({ pii, as, fits }) => ({ pii, as, hits: given.filter(fits).length })).filter(
    ({ hits }) => hits >= LEAST_HITS && hits >= given.length * LEAST_PART,
  );
  const best = found.toSorted((a, b) => b.hits - a.hits)[0];
  if (best) return best;
  const snake = name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
  const named = NAMES.find(([pattern]) => pattern.test(snake));
  return named ? { pii: named[1], as: `its name, common for ${named[1]}`, hits: 0 } : null;
};
