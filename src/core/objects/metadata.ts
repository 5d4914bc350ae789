/**
 * Metadata as stores carry it: headers are printable ASCII, so every other character, and the percent sign, is written
 * in percents of its UTF-8. Our digest travels in it under a name of its own.
 */

import { asHexDigest, type HexDigest } from './hex-digest.ts';

export const SHA256_NAME = 'xcrepl-sha256';

/** Some stores drop an empty value, or one's outer spaces. */
const PLAIN = /^[!-$&-~](?:[ -$&-~]*[!-$&-~])?$/;

const encode = (value: string): string =>
  PLAIN.test(value)
    ? value
    : value === ''
      ? '%'
      : value.replace(/[^!-$&-~]/gu, (character) => encodeURIComponent(character).replace(/^([^%])$/, hexOf));

const hexOf = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;

const decode = (value: string): string => {
  if (value === '%') return '';
  try {
    return decodeURIComponent(value);
  } catch {
    // Not written by us: it is what it says.
    return value;
  }
};

export const toHeaders = (
  metadata: Readonly<Record<string, string>> | undefined,
  sha256: HexDigest | null,
): Record<string, string> => ({
  ...Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, encode(value)])),
  ...(sha256 === null ? {} : { [SHA256_NAME]: sha256 }),
});

export const fromHeaders = (
  headers: Readonly<Record<string, string | undefined>>,
): { readonly metadata: Readonly<Record<string, string>>; readonly sha256: HexDigest | null } => {
  const { [SHA256_NAME]: digest = '', ...others } = headers;
  const metadata = Object.fromEntries(
    Object.entries(others).map(([name, value]) => [name.toLowerCase(), decode(value ?? '')]),
  );
  return { metadata, sha256: asHexDigest(digest) };
};
