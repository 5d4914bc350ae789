import { describe, expect, it } from 'vitest';
import { XcError } from '../../core/errors/xc-error.ts';
import { describeDsn, isLocal, parseDsn } from './dsn.ts';

const parse = (text: string) => parseDsn(text, 'region us');

describe('parseDsn', () => {
  it('reads every part', () => {
    expect(
      parse(
        'postgresql://app:p%40ss%2F@db.example:6432/shop?sslmode=verify-full&sslrootcert=/ca.pem&connect_timeout=3',
      ),
    ).toMatchObject({
      user: 'app',
      password: 'p@ss/',
      host: 'db.example',
      port: 6432,
      database: 'shop',
      sslMode: 'verify-full',
      sslRootCert: '/ca.pem',
      connectTimeoutMs: 3000,
    });
  });

  it('has the defaults of libpq', () => {
    expect(parse('postgres://app@')).toMatchObject({
      host: 'localhost',
      port: 5432,
      database: 'app',
      password: undefined,
      sslMode: 'prefer',
    });
  });

  it('reads sockets and IPv6 addresses', () => {
    expect(parse('postgres://app:x@/shop?host=/run/pg&port=5433')).toMatchObject({
      host: '/run/pg',
      port: 5433,
    });
    expect(parse('postgres://app:x@%2Frun%2Fpg/shop')).toMatchObject({ host: '/run/pg', database: 'shop' });
    const six = parse('postgres://app@[::1]:5433/shop');
    expect(six).toMatchObject({ host: '::1', port: 5433 });
    expect(describeDsn(six)).toBe('app@[::1]:5433/shop');
    expect(isLocal(six)).toBe(true);
    expect(isLocal(parse('postgres://app@10.0.0.1/shop'))).toBe(false);
  });

  it('takes a colon in the password', () => {
    expect(parse('postgres://app:a:b@h/d').password).toBe('a:b');
  });

  it.each([
    'mysql://app:hunter2@h/d',
    'hunter2',
    'postgres://app:hunter2@h:x/d',
    'postgres://app:hunter2@h:99999/d',
    'postgres://app:hunter2@h1,h2/d',
    'postgres://app:hunter2%@h/d',
    'postgres://app:hunter2/@h/d',
    'postgres://:hunter2@h/d',
    'postgres://app@h/d?hunter2=1',
    'postgres://app:hunter2@h/d?sslmode=full',
    'postgres://app:hunter2@h/d?connect_timeout=soon',
    'host=h password=hunter2',
    '',
  ])('refuses %s without showing it', (text) => {
    const caught = (() => {
      try {
        return parse(text);
      } catch (error) {
        return error;
      }
    })();
    expect(caught).toBeInstanceOf(XcError);
    expect((caught as XcError).code).toBe('XC-1010');
    expect(JSON.stringify([caught, (caught as XcError).message, (caught as XcError).next])).not.toContain(
      'hunter2',
    );
  });

  it('never describes the password', () => {
    expect(describeDsn(parse('postgres://app:hunter2@h/d?password=hunter2'))).toBe('app@h:5432/d');
  });
});
