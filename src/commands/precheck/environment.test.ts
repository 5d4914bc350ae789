import { expect, it } from 'vitest';
import { environmentRows } from './environment.ts';

it('shows what is set, and of a DSN only user, host, port and database', () => {
  const rows = environmentRows({
    POSTGRES_DSN_PRIMARY: 'postgres://app:hunter2@db:6432/shop?sslmode=require',
    POSTGRES_DSN_SECONDARY: 'hunter2',
    GLOBAL_REGISTRY_URL: 'https://u:hunter2@registry/health?key=hunter2',
    FEDERATION_TOKEN: 'hunter2',
    ROUTER_AUTH_TOKEN: 'hunter2',
    SIMULATION_MODE: 'true',
    VAULT_ADDR: '',
    HOME: 'hunter2',
  });
  const shown = Object.fromEntries(rows.filter((row) => row.set).map((row) => [row.name, row.shown]));
  expect(shown).toEqual({
    POSTGRES_DSN_PRIMARY: 'app@db:6432/shop',
    POSTGRES_DSN_SECONDARY: '(malformed)',
    GLOBAL_REGISTRY_URL: 'https://registry/health',
    FEDERATION_TOKEN: null,
    ROUTER_AUTH_TOKEN: null,
    SIMULATION_MODE: 'true',
  });
  expect(rows.length).toBe(19);
  expect(JSON.stringify(rows)).not.toContain('hunter2');
});
