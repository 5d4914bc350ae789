/** What is wrong with a rule's `map` in itself; whether two tables would be one is known once the source is. */

import { splitTable } from '../topology/table-name.ts';
import { matchesPatterns } from '../topology/pattern.ts';
import type { Mistake } from './mistake.ts';
import type { RuleConfig } from './schema.ts';

type Path = Mistake['path'];
type Report = (path: Path, message: string, atKey?: boolean) => void;

const NO_PLACE = /^(xcrepl|information_schema|pg_.*)$/;

export const checkMap = (rule: RuleConfig, path: Path, report: Report): void => {
  const { map } = rule;
  if (!map) return;
  if (rule.mode === 'active-active')
    report(
      [...path, 'mode'],
      'active-active cannot be with a map: it says only what the target calls a table',
    );
  const named = (table: string): boolean => matchesPatterns(rule.tables ?? [], table);
  for (const [schema, to] of Object.entries(map.schemas ?? {}))
    if (NO_PLACE.test(to))
      report([...path, 'map', 'schemas', schema], `nothing can be written to schema ${to}`);
  for (const [table, to] of Object.entries(map.tables ?? {})) {
    const at: Path = [...path, 'map', 'tables', table];
    if (!named(table)) report(at, 'is not among the tables of the rule', true);
    if (NO_PLACE.test(splitTable(to).schema)) report(at, `nothing can be written to ${to}`);
  }
  checkTwice(map.tables ?? {}, [...path, 'map', 'tables'], report);
  for (const [table, columns] of Object.entries(map.columns ?? {})) {
    const at: Path = [...path, 'map', 'columns', table];
    if (!named(table)) report(at, 'is not among the tables of the rule', true);
    checkTwice(columns, at, report);
  }
};

const checkTwice = (names: Readonly<Record<string, string>>, path: Path, report: Report): void => {
  const first = new Map<string, string>();
  for (const [name, to] of Object.entries(names)) {
    const other = first.get(to);
    if (other === undefined) first.set(to, name);
    else report([...path, name], `${other} is called ${to} already`);
  }
};
