/** Flows that a configuration describes, judged by residency and counted for each tenant and target region. Pure. */

import type { Config } from '../config/schema.ts';
import { linksOf, type Link } from '../topology/link.ts';
import { matchesPatterns } from '../topology/pattern.ts';
import { judgeResidency } from './residency.ts';

export interface ResidencyCount {
  readonly tenant: string;
  readonly region: string;
  readonly zone: string;
  /** Zones of the tenant; empty where it names none. */
  readonly zones: readonly string[];
  readonly checked: number;
  readonly allowed: number;
  readonly refused: number;
  /** Why, each once. */
  readonly reasons: readonly string[];
}

export const residencyCounts = (config: Config): ResidencyCount[] => {
  const groups = Map.groupBy(linksOf(config), ({ tenant, target }) => JSON.stringify([tenant, target]));
  return [...groups.values()].map((links) => {
    const [{ tenant, target, residency }] = links as [Link, ...Link[]];
    const zone = config.regions[target]?.zone ?? '';
    const verdicts = links.map((link) =>
      judgeResidency({
        tenant,
        target: { region: target, zone },
        residency: link.residency,
        rules: link.columns && rulesOf(link),
      }),
    );
    const allowed = verdicts.filter((verdict) => verdict.allowed).length;
    return {
      tenant,
      region: target,
      zone,
      zones: residency?.zones ?? [],
      checked: verdicts.length,
      allowed,
      refused: verdicts.length - allowed,
      reasons: [...new Set(verdicts.map(({ reason }) => reason))],
    };
  });
};

/** Rules of the tables that the link's rule names, as the configuration has them. */
const rulesOf = ({ columns, rule }: Link) =>
  Object.entries(columns ?? {})
    .filter(([table]) => matchesPatterns(rule.tables ?? [], table))
    .flatMap(([table, rules]) =>
      Object.entries(rules).map(([column, one]) => ({ ...one, column: `${table}.${column}` })),
    );
