/** What a schema cannot see: names that point to each other, and settings that contradict. All mistakes at once. */

import { matchesNames, matchesPatterns } from '../topology/pattern.ts';
import { nearest } from '../errors/suggest.ts';
import { checkMap } from './check-map.ts';
import type { Mistake } from './mistake.ts';
import type { ColumnRule, Config, RuleConfig } from './schema.ts';

type Path = Mistake['path'];
type Report = (path: Path, message: string, atKey?: boolean) => void;

/** @param whole false while manifests may still bring tenants that rules and budgets name */
export const crossCheck = (
  config: Config,
  whole: boolean = config.signing?.manifests === undefined,
): Mistake[] => {
  const mistakes: Mistake[] = [];
  const report: Report = (path, message, atKey = false) => void mistakes.push({ path, message, atKey });
  checkRegions(config, report);
  checkTenants(config, report);
  for (const [index, rule] of config.rules.entries()) {
    checkRule(config, rule, ['rules', index], report);
    if (whole) checkRuleTenants(config, rule, ['rules', index], report);
  }
  checkRuleIds(config, report);
  checkBudgets(config, report, whole);
  if (whole) checkTenantPlaces(config, report);
  checkConflicts(config, report);
  checkSigning(config, report);
  return mistakes;
};

const checkName = (
  kind: string,
  names: Readonly<Record<string, unknown>>,
  name: string,
  path: Path,
  report: Report,
): boolean => {
  if (Object.hasOwn(names, name)) return true;
  const known = Object.keys(names);
  const suggestion = nearest(name, known);
  const hint =
    suggestion === undefined
      ? known.length > 0
        ? `; there is ${known.join(', ')}`
        : ''
      : `; did you mean ${suggestion}?`;
  report(path, `no ${kind} of this name${hint}`);
  return false;
};

const checkRegions = ({ regions }: Config, report: Report): void => {
  if (Object.keys(regions).length === 0) report(['regions'], 'at least one region is needed');
  for (const [name, { kind, path, postgres, initialRole }] of Object.entries(regions)) {
    const isLog = kind === 'changelog';
    if (isLog && path === undefined) report(['regions', name], 'kind changelog needs the path of the log');
    if (!isLog && path !== undefined) report(['regions', name, 'path'], 'only kind changelog has a path');
    if (isLog && postgres) report(['regions', name, 'postgres'], 'kind changelog has no server');
    if (isLog && initialRole === 'primary')
      report(['regions', name, 'initialRole'], 'a change log cannot be written, and so cannot be primary');
  }
};

const checkTenants = ({ tenants, hashKeys }: Config, report: Report): void => {
  for (const [tenant, { scope, columns }] of Object.entries(tenants))
    for (const [table, rules] of Object.entries(columns ?? {}))
      for (const [column, rule] of Object.entries(rules)) {
        const path: Path = ['tenants', tenant, 'columns', table, column];
        if (rule.action === 'hash' && rule.key !== undefined)
          checkName('hash key', hashKeys, rule.key, [...path, 'key'], report);
        if (scope.kind === 'column' && scope.column === column) checkScopeColumn(rule, path, report);
      }
};

/** CORRECTNESS 27: the column that says whose a row is must arrive as it is, or the target cannot tell tenants apart. */
const checkScopeColumn = ({ action }: ColumnRule, path: Path, report: Report): void => {
  if (action !== 'allow')
    report(
      path,
      `the tenant column cannot be ${{ hash: 'hashed', mask: 'masked', drop: 'dropped' }[action]}`,
    );
};

const checkRule = (config: Config, rule: RuleConfig, path: Path, report: Report): void => {
  checkName('region', config.regions, rule.from, [...path, 'from'], report);
  const seen = new Set<string>();
  for (const [index, target] of rule.to.entries()) {
    const at: Path = [...path, 'to', index];
    if (target === rule.from) report(at, 'the source region cannot be a target');
    else if (seen.has(target)) report(at, 'this region is named twice');
    else if (checkName('region', config.regions, target, at, report))
      checkIsServer(config, target, at, report);
    seen.add(target);
  }
  if (!rule.tables && !rule.prefixes) report(path, 'a rule needs tables, prefixes or both');
  if (rule.tables?.every((pattern) => pattern.startsWith('!')))
    report([...path, 'tables'], 'only exclusions: nothing is included');
  checkMap(rule, path, report);
  if (rule.mode === 'active-active') {
    checkIsServer(config, rule.from, [...path, 'mode'], report);
    checkTwoWay(config, rule, path, report);
  }
};

const checkRuleTenants = (config: Config, rule: RuleConfig, path: Path, report: Report): void => {
  const tenants = Object.keys(config.tenants);
  for (const [index, pattern] of rule.tenants.entries()) {
    if (pattern.startsWith('!') || tenants.some((tenant) => matchesNames([pattern], tenant))) continue;
    const at: Path = [...path, 'tenants', index];
    if (pattern.includes('*')) report(at, 'matches no tenant');
    else checkName('tenant', config.tenants, pattern, at, report);
  }
};

const checkIsServer = ({ regions }: Config, region: string, path: Path, report: Report): void => {
  if (regions[region]?.kind === 'changelog') report(path, 'a change log cannot be written');
};

/** CORRECTNESS 27: a link that redacts is one-way, since the way back would overwrite originals. */
const checkTwoWay = (config: Config, rule: RuleConfig, path: Path, report: Report): void => {
  for (const [tenant, { columns }] of Object.entries(config.tenants)) {
    if (!matchesNames(rule.tenants, tenant)) continue;
    for (const [table, rules] of Object.entries(columns ?? {})) {
      if (!matchesPatterns(rule.tables ?? [], table)) continue;
      const redacted = Object.entries(rules).find(([, { action }]) => action !== 'allow');
      if (redacted)
        report(
          [...path, 'mode'],
          `active-active cannot carry ${table}: ${redacted[0]} of tenant ${tenant} does not travel as it is`,
        );
    }
  }
};

/** A link is rule : tenant : source : target, so two rules of one id that share a tenant give the same links. */
const checkRuleIds = ({ rules }: Config, report: Report): void => {
  const first = new Map<string, number>();
  for (const [index, { id }] of rules.entries()) {
    const earlier = first.get(id);
    if (earlier === undefined) first.set(id, index);
    else report(['rules', index, 'id'], `rules[${earlier}] has this id too, and links are named after it`);
  }
};

const checkBudgets = ({ budgets, tenants, regions }: Config, report: Report, whole: boolean): void => {
  const seen = new Map<string, number>();
  for (const [index, { tenant, from, to }] of budgets.entries()) {
    const path: Path = ['budgets', index];
    if (whole) checkName('tenant', tenants, tenant, [...path, 'tenant'], report);
    checkName('region', regions, from, [...path, 'from'], report);
    checkName('region', regions, to, [...path, 'to'], report);
    if (from === to) report([...path, 'to'], 'the source region cannot be the target');
    const key = JSON.stringify([tenant, from, to]);
    const earlier = seen.get(key);
    if (earlier === undefined) seen.set(key, index);
    else report(path, `budgets[${earlier}] limits the same tenant and regions`);
  }
};

/** P5: what two tenants could both reach belongs to none of them. */
const checkTenantPlaces = ({ regions, tenants }: Config, report: Report): void => {
  for (const [region, { objects }] of Object.entries(regions)) {
    if (objects === undefined || objects.kind === 'memory') continue;
    const seen = new Map<string, string>();
    for (const [tenant, place] of Object.entries(objects.tenants ?? {})) {
      const path: Path = ['regions', region, 'objects', 'tenants', tenant];
      checkName('tenant', tenants, tenant, path, report);
      const key = JSON.stringify({ prefix: '', ...place });
      const other = seen.get(key);
      if (other !== undefined) report(path, `the same place as of tenant ${other}`);
      seen.set(key, tenant);
    }
  }
};

const checkConflicts = ({ conflicts, regions }: Config, report: Report): void => {
  const checkRank = (rank: readonly string[] | undefined, path: Path): void => {
    for (const [index, region] of (rank ?? []).entries()) {
      const at: Path = [...path, 'rank', index];
      if (rank?.indexOf(region) === index) checkName('region', regions, region, at, report);
      else report(at, 'this region is named twice');
    }
  };
  checkRank(conflicts?.default?.rank, ['conflicts', 'default']);
  for (const [table, { rank }] of Object.entries(conflicts?.tables ?? {}))
    checkRank(rank, ['conflicts', 'tables', table]);
};

/** Approvals that can never be gathered would stop production for good. */
const checkSigning = ({ signing }: Config, report: Report): void => {
  const required = signing?.approvals?.required;
  if (!signing || required === undefined) return;
  const keys = Object.values(signing.publicKeys).filter(({ scopes }) => scopes.includes('approve')).length;
  if (keys < required)
    report(
      ['signing', 'approvals', 'required'],
      `${required} are required, and ${keys === 1 ? '1 key has' : `${keys} keys have`} the scope approve`,
    );
};
