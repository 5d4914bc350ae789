import { expect, test } from 'vitest';
import { createRedactor } from './redactor.ts';

test('a secret is hidden as it stands, URL-encoded and escaped as in JSON', () => {
  const redactor = createRedactor();
  redactor.add('p@ss "w/rd"');
  for (const form of ['p@ss "w/rd"', encodeURIComponent('p@ss "w/rd"'), 'p@ss \\"w/rd\\"'])
    expect(redactor.text(`before ${form} after`)).toBe('before *** after');
});

test('the password of a DSN is hidden alone too, decoded and encoded', () => {
  const redactor = createRedactor();
  redactor.add('postgres://repl:s%40cret-1@db.example:5432/shop?sslmode=require');
  expect(redactor.text('password s@cret-1 or s%40cret-1 refused')).toBe('password *** or *** refused');
  expect(redactor.text('user repl of shop at db.example')).toBe('user repl of shop at db.example');
});

test('the password of a keyword DSN is hidden, quoted or not', () => {
  const redactor = createRedactor();
  redactor.add(String.raw`host=db user=repl password='it\'s hidden' dbname=shop`);
  expect(redactor.text("login with it's hidden failed")).toBe('login with *** failed');
});

test('a password that is the user or the database hides no name, but is hidden in the DSN', () => {
  const redactor = createRedactor();
  redactor.add('postgres://postgres:postgres@127.0.0.1/postgres');
  expect(redactor.text('database postgres')).toBe('database postgres');
  expect(redactor.text('postgres://postgres:postgres@127.0.0.1/postgres')).toBe('***');
});

test('a password in any URL or keyword is hidden even when nobody told of it', () => {
  const redactor = createRedactor();
  expect(redactor.text('cannot connect to postgres://u:planted@h/d')).toBe(
    'cannot connect to postgres://u:***@h/d',
  );
  expect(redactor.text('host=h password=planted user=u')).toBe('host=h password=*** user=u');
});

test('values are redacted, keys and other types are left alone', () => {
  const redactor = createRedactor();
  redactor.add('planted');
  expect(redactor.value({ planted: ['a planted b', 7, null, true], at: { deep: 'planted' } })).toEqual({
    planted: ['a *** b', 7, null, true],
    at: { deep: '***' },
  });
});

test('the longest secret wins, so that no tail of it stays', () => {
  const redactor = createRedactor();
  redactor.add('plant');
  redactor.add('planted-longer');
  expect(redactor.text('planted-longer')).toBe('***');
});
