/** What `config init` writes: every commented part is valid when its comment signs are taken away. */

export const TEMPLATE = `# yaml-language-server: $schema=./xcrepl.schema.json
# Check with: xcrepl config validate      Every key: docs/configuration.md, or xcrepl config schema
schemaVersion: 1

# Names this set of regions. Slots and checkpoints are named after it, so it never changes.
controlPlane: acme
environment: production            # production | staging | lab

# Global registry that precheck asks; "none" says that there is none.
registry: none                     # or { url: env:GLOBAL_REGISTRY_URL }

# Secrets are named, never written down: env:NAME, file:PATH, cmd:COMMAND or vault:PATH#KEY.
# hashKeys: { k1: env:PII_KEY }

regions:
  us-east-1:
    zone: us                       # personal data stays in the zones that a tenant's residency names
    initialRole: primary           # the start; the epochs in the databases are the truth afterwards
    postgres: { dsn: env:POSTGRES_DSN_PRIMARY }
    # location: { lat: 39.0, lon: -77.5 }
    # objects: { kind: s3, endpoint: env:S3_PRIMARY_ENDPOINT, bucket: acme-us }
  eu-central-1:
    zone: eu
    initialRole: replica
    postgres: { dsn: env:POSTGRES_DSN_SECONDARY }

tenants:
  acme:
    scope: { kind: column, column: tenant_id, value: acme }   # or { kind: schema, schema: acme }
    residency: { zones: [us, eu] }
    # With column rules a tenant is default-deny: a column without a rule stops.
    # columns:
    #   shop.customers:
    #     id: allow
    #     tenant_id: allow
    #     email: { pii: email, action: hash, key: k1 }
    #     note: { pii: free-text, action: drop }

rules:
  - id: shop
    tenants: [acme]                # names, or patterns with *
    tables: [shop.*]               # "!shop.audit_log" leaves one out
    tier: warm
    mode: active-passive
    from: us-east-1
    to: [eu-central-1]
    ddl: stop                      # or additive
    verify: changed                # off | changed | full
    lagObjective: 5s

# budgets:
#   - { tenant: acme, from: us-east-1, to: eu-central-1, bytesPerSecond: 20MiB, concurrentJobs: 2 }
`;
