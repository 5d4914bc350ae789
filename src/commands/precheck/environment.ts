/** The environment as a report may show it: which variables are set, and of their values only what is no secret. */

import type { EnvironmentRow } from '../../core/report/precheck.ts';
import { shownUrl } from '../../providers/http/shown-url.ts';
import { describeDsn, parseDsn } from '../../providers/postgres/dsn.ts';

type Show = (value: string) => string | null;

const dsn: Show = (value) => {
  try {
    return describeDsn(parseDsn(value, 'environment'));
  } catch {
    return '(malformed)';
  }
};
const plain: Show = (value) => value;
const secret: Show = () => null;

/** DESIGN, "Configuration". */
const VARIABLES: Readonly<Record<string, Show>> = {
  POSTGRES_DSN_PRIMARY: dsn,
  POSTGRES_DSN_SECONDARY: dsn,
  S3_PRIMARY_ENDPOINT: shownUrl,
  S3_SECONDARY_ENDPOINT: shownUrl,
  CLOUD_PROVIDER_PRIMARY: plain,
  CLOUD_PROVIDER_SECONDARY: plain,
  VAULT_ADDR: shownUrl,
  COSIGN_KEY_PATH: plain,
  FEDERATION_TOKEN: secret,
  SIMULATION_MODE: plain,
  REPLICATION_WINDOW_MS: plain,
  GLOBAL_REGISTRY_URL: shownUrl,
  PROM_URL: shownUrl,
  PRIMARY_REGION: plain,
  SECONDARY_REGIONS: plain,
  GEOIP_DB_PATH: plain,
  MAX_P95_LATENCY_MS: plain,
  ROUTER_BIND_ADDR: plain,
  ROUTER_AUTH_TOKEN: secret,
};

export const environmentRows = (env: Readonly<Record<string, string | undefined>>): EnvironmentRow[] =>
  Object.entries(VARIABLES).map(([name, show]) => {
    const value = env[name] ?? '';
    return { name, set: value !== '', shown: value === '' ? null : show(value) };
  });
