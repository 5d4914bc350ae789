/**
 * Takes secrets out of everything that becomes text. A secret is told once, when it is resolved; from then on it is
 * replaced wherever it appears: as it stands, URL-encoded, escaped as in JSON, and as the password inside a DSN.
 */

export const HIDDEN = '***';

/** Shorter secrets are hidden only where they stand as a password: everywhere else they would garble the text. */
const SHORTEST = 4;

/** user:password@ of any URL: hidden even when nobody told of it, and where it was taken for a path too. */
const URL_PASSWORD = /([a-z][a-z0-9+.-]*:\/\/?[^\s:/@"']*:)([^\s@/"']+)(@)/gi;
/** password=… of a key-value DSN. */
const KEYWORD_PASSWORD = /\b((?:password|passwd|pwd)\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&"',;]+)/gi;

export interface Redactor {
  /** Registers a secret and, when it is a DSN, the password in it. */
  add(secret: string): void;
  text(text: string): string;
  /** A copy of a JSON value with every string redacted, keys left alone. */
  value<T>(value: T): T;
}

export const createRedactor = (): Redactor => {
  const hidden = new Set<string>();
  let pattern: RegExp | null = null;

  const remember = (secret: string): void => {
    if (secret.length < SHORTEST) return;
    for (const form of formsOf(secret)) hidden.add(form);
    pattern = null;
  };

  const text = (input: string): string => {
    if (hidden.size > 0) {
      pattern ??= new RegExp(
        [...hidden]
          .toSorted((a, b) => b.length - a.length)
          .map(escape)
          .join('|'),
        'g',
      );
      input = input.replace(pattern, HIDDEN);
    }
    return input.replace(URL_PASSWORD, `$1${HIDDEN}$3`).replace(KEYWORD_PASSWORD, `$1${HIDDEN}`);
  };

  const value = <T>(input: T): T => {
    if (typeof input === 'string') return text(input) as T;
    if (Array.isArray(input)) return input.map((item: unknown) => value(item)) as T;
    if (input === null || typeof input !== 'object' || 'toJSON' in input) return input;
    return Object.fromEntries(Object.entries(input).map(([key, item]) => [key, value(item as unknown)])) as T;
  };

  return {
    add(secret) {
      remember(secret);
      for (const password of passwordsIn(secret)) remember(password);
    },
    text,
    value,
  };
};

const escape = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

const formsOf = (secret: string): string[] => {
  const forms = [secret, secret.trim(), encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
  try {
    forms.push(decodeURIComponent(secret));
  } catch {
    // Not URL-encoded: the other forms stand.
  }
  return forms.filter((form) => form.length >= SHORTEST);
};

/** A password that is also the user, host or database is no secret, and hiding it would hide those names. */
const passwordsIn = (dsn: string): string[] => {
  const url = /^[a-z][a-z0-9+.-]*:\/\/([^:@/?#]*):([^@]+)@([^/?#]*)(?:\/([^?#]*))?/i.exec(dsn.trim());
  if (url) {
    const [, user, password = '', host = '', database] = url;
    const inQuery = /[?&]password=([^&#]+)/i.exec(dsn)?.[1];
    const known = new Set([user, database, ...host.split(/[,:]/)]);
    return [password, ...(inQuery === undefined ? [] : [inQuery])].filter((text) => !known.has(text));
  }
  return [...dsn.matchAll(KEYWORD_PASSWORD)].map((match) =>
    (match[2] ?? '').replace(/^'|'$/g, '').replace(/\\(.)/g, '$1'),
  );
};
