/**
 * The row policy: from a tenant's column rules to one action a column, once per relation and tenant. A tenant with
 * column rules is default-deny; what the rules cannot do without losing rows or leaking values is a stop.
 */

import { Buffer } from 'node:buffer';
import type { ColumnRule, RuleConfig, TenantConfig, TenantScope } from '../config/schema.ts';
import type { ColumnAction, PolicyColumn, PolicyRelation, Stop } from './column-action.ts';
import { isLeftOut } from '../topology/left-out.ts';
import { textTypeOf } from './text-type.ts';

export interface TenantRules {
  readonly tenant: string;
  readonly scope: TenantScope;
  /** TenantConfig.columns; undefined allows every column. */
  readonly columns: TenantConfig['columns'];
  /** Of the rule: columns that are not sent, whatever the tenant's own rules say. */
  readonly rule?: Pick<RuleConfig, 'leaveOut'>;
  /** Resolved secrets by their name under hashKeys. */
  readonly hashKeys: ReadonlyMap<string, Uint8Array>;
}

/** A sha256 has 64 hexadecimal digits; half of them still tell 2^64 values apart (birthday bound). */
const HASH_DIGITS = 64;
const MIN_HASH_DIGITS = 32;
/** NIST SP 800-107 r1, 5.3.4: a key below 112 bits of strength adds nothing; 16 bytes is the next round length. */
const MIN_KEY_BYTES = 16;
const MASK = '***';

const ALLOW: ColumnAction = { kind: 'allow' };
const DROP: ColumnAction = { kind: 'drop' };

export const isStop = (result: object): result is Stop => 'kind' in result && result.kind === 'stop';

/**
 * One action a column, in the relation's order, or the first stop. Pure.
 * Stops: XC-2001 no rule, XC-2002 the rule does not fit the type, XC-2003 the rule would lose the key, XC-2004 the
 * tenant's own column is not plainly allowed, XC-2005 no usable hash key.
 */
export const compile = (relation: PolicyRelation, rules: TenantRules): readonly ColumnAction[] | Stop => {
  const judged = judge(relation, rules);
  const stop = judged.find(isStop);
  return stop ?? judged.filter((action) => !isStop(action));
};

/** Every stop of the relation, for a plan or a precheck that lists all mistakes together. */
export const compileStops = (relation: PolicyRelation, rules: TenantRules): readonly Stop[] =>
  judge(relation, rules).filter(isStop);

const judge = (relation: PolicyRelation, rules: TenantRules): (ColumnAction | Stop)[] => {
  const { columns } = rules;
  const leaveOut = rules.rule?.leaveOut;
  if (!columns && !leaveOut) return relation.columns.map(() => ALLOW);
  const named = columns && Object.hasOwn(columns, relation.table) ? columns[relation.table] : undefined;
  const ruleOf = (name: string): ColumnRule | undefined => {
    if (isLeftOut(leaveOut, relation.table, name)) return { action: 'drop' };
    if (!columns) return { action: 'allow' };
    return named && Object.hasOwn(named, name) ? named[name] : undefined;
  };
  return relation.columns.map((column) => {
    const rule = ruleOf(column.name);
    const stop = (code: Stop['code'], why: string, next: string): Stop => ({
      kind: 'stop',
      code,
      table: relation.table,
      column: column.name,
      why,
      next,
    });
    if (!rule) {
      return stop(
        'XC-2001',
        `tenant ${rules.tenant} has column rules, and none names ${relation.table}.${column.name}`,
        `name ${column.name} under tenants.${rules.tenant}.columns."${relation.table}" with allow, hash, mask or drop`,
      );
    }
    return judgeRule(column, rule, rules, stop);
  });
};

type StopHere = (code: Stop['code'], why: string, next: string) => Stop;

const judgeRule = (
  column: PolicyColumn,
  rule: ColumnRule,
  rules: TenantRules,
  stop: StopHere,
): ColumnAction | Stop => {
  if (rule.action === 'allow') return ALLOW;
  if (rules.scope.kind === 'column' && rules.scope.column === column.name)
    return stop(
      'XC-2004',
      'rows are told apart between tenants by this column, on both sides',
      'set its rule to allow',
    );
  if (column.isKey && rule.action !== 'hash')
    return stop(
      'XC-2003',
      `the column is part of the key, and ${rule.action} would make different rows the same`,
      'set its rule to allow, or to hash where it is of a text type',
    );
  switch (rule.action) {
    case 'drop':
      return DROP;
    case 'mask':
      return mask(column, stop);
    case 'hash':
      return hash(column, rule, rules, stop);
  }
};

const notText = (column: PolicyColumn, action: string, stop: StopHere): Stop =>
  stop(
    'XC-2002',
    `${action} gives text, and the column's type is ${column.typeName}`,
    'set its rule to drop or allow; only text, varchar, char and citext columns, and domains over them, can be hashed or masked',
  );

const mask = (column: PolicyColumn, stop: StopHere): ColumnAction | Stop => {
  const type = textTypeOf(column.typeName, column.typeModifier);
  if (!type) return notText(column, 'mask', stop);
  return { kind: 'mask', text: Buffer.from(MASK.slice(0, type.maxCharacters)) };
};

const hash = (
  column: PolicyColumn,
  rule: ColumnRule,
  rules: TenantRules,
  stop: StopHere,
): ColumnAction | Stop => {
  const type = textTypeOf(column.typeName, column.typeModifier);
  if (!type) return notText(column, 'hash', stop);
  const length = Math.min(HASH_DIGITS, type.maxCharacters);
  if (length < MIN_HASH_DIGITS)
    return stop(
      'XC-2002',
      `a hash needs ${MIN_HASH_DIGITS} characters, and the column holds ${type.maxCharacters}`,
      `widen the column to at least ${MIN_HASH_DIGITS} characters on both sides, or set its rule to drop`,
    );
  const key = rules.hashKeys.get(rule.key ?? '');
  if (!key || key.length < MIN_KEY_BYTES)
    return stop(
      'XC-2005',
      key
        ? `the secret behind hashKeys.${rule.key} has ${key.length} bytes; at least ${MIN_KEY_BYTES} are needed`
        : `hashKeys has no ${rule.key ?? 'key for it'}`,
      `give hashKeys.${rule.key ?? 'NAME'} a reference to a random secret of at least ${MIN_KEY_BYTES} bytes`,
    );
  return { kind: 'hash', key, length };
};
