/** Over random tenants, relations and rules: what leaves holds nothing that the rules do not let leave. */

import { Buffer } from 'node:buffer';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { PolicyRelation } from './column-action.ts';
import { redactField } from './redactor.ts';
import { compile, isStop, type TenantRules } from './row-policy.ts';

const CANARY = 'c4n4ry';
const NAMES = ['tenant_id', 'id', 'email', 'phone', 'note', 'city'] as const;

const rule = fc.oneof(
  fc.constant({ action: 'allow' as const }),
  fc.constant({ action: 'drop' as const }),
  fc.constant({ action: 'mask' as const }),
  fc.constant({ action: 'hash' as const, key: 'k1' }),
);

const scene = fc.record({
  /** Which columns the table has, and which of them a rule names. */
  columns: fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1 }),
  rules: fc.dictionary(fc.constantFrom(...NAMES), rule),
  type: fc.constantFrom('text', 'varchar', 'citext', 'int4', 'jsonb'),
  value: fc.string({ unit: 'binary' }),
});

it('no value of a column without an allowing rule is in what leaves', () => {
  let sent = 0;
  fc.assert(
    fc.property(scene, ({ columns, rules, type, value }) => {
      const relation: PolicyRelation = {
        table: 'shop.t',
        columns: columns.map((name) => ({
          name,
          typeOid: 25,
          typeName: type,
          typeModifier: -1,
          isKey: name === 'id',
        })),
      };
      const tenant: TenantRules = {
        tenant: 'acme',
        scope: { kind: 'column', column: 'tenant_id', value: 'acme' },
        columns: { 'shop.t': rules },
        hashKeys: new Map([['k1', Buffer.alloc(32, 7)]]),
      };
      const actions = compile(relation, tenant);
      if (isStop(actions)) return;
      for (const [at, action] of actions.entries()) {
        const name = columns[at]!;
        const own = Object.hasOwn(rules, name) ? rules[name] : undefined;
        // Default deny: a relation with a column that nobody named never gets this far.
        expect(own).toBeDefined();
        const bytes = Buffer.from(`${value}${CANARY}-${name}${value}`);
        const out = redactField(action, bytes, 0, bytes.length);
        if (own!.action === 'allow') continue;
        sent++;
        expect(out?.includes(CANARY) ?? false).toBe(false);
        expect(out?.includes(name) ?? false).toBe(false);
      }
    }),
    { numRuns: 500 },
  );
  expect(sent).toBeGreaterThan(20);
});
