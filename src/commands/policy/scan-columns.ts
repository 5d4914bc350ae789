/** Columns that look like personal data and are not classified. */

import { splitTable } from '../../core/topology/table-name.ts';
import type { ColumnRule } from '../../core/config/schema.ts';
import { EXIT } from '../../core/errors/exit.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { looksPersonal } from '../../core/policy/looks-personal.ts';
import { linksOf, type Link } from '../../core/topology/link.ts';
import { matchesPatterns } from '../../core/topology/pattern.ts';
import { tableName, type TableFacts } from '../../core/topology/table.ts';
import { readCatalogue } from '../../providers/postgres/catalogue/catalogue.ts';
import { sampleColumns } from '../../providers/postgres/sample-columns.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { databasesOf, onDatabase, type RegionDatabase } from '../region-databases.ts';

interface Found {
  readonly region: string;
  readonly database: string;
  readonly table: string;
  readonly column: string;
  /** The class that would fit. */
  readonly pii: string;
  readonly looksLike: string;
  readonly hits: number;
  readonly sampled: number;
  /** Tenants whose rules give it no class. */
  readonly tenants: readonly string[];
}

export interface ScanOptions {
  readonly region?: string | undefined;
  readonly detailedExitcode?: boolean | undefined;
}

export const scanColumns = async (host: Host, options: ScanOptions): Promise<Outcome> => {
  const loaded = await host.config();
  const links = linksOf(loaded.config).filter(
    ({ source }) => options.region === undefined || source === options.region,
  );
  if (options.region !== undefined && !loaded.config.regions[options.region])
    throw new XcError('XC-1006', { subject: `region ${options.region}` });
  const sources = [...new Set(links.map(({ source }) => source))].filter(
    (region) => loaded.config.regions[region]?.kind !== 'changelog',
  );
  const found: Found[] = [];
  let columns = 0;
  for (const region of sources)
    for (const place of await databasesOf(host, loaded, region)) {
      const here = links.filter(
        ({ source, scope }) =>
          source === region && (scope.kind !== 'database' || scope.database === place.database),
      );
      const scanned = await onDatabase(host, place, (client) => scanDatabase(client, place, here));
      found.push(...scanned.found);
      columns += scanned.columns;
    }
  return {
    document: { schemaVersion: 1, columns, found },
    records: found,
    table: (paint) =>
      found.length === 0
        ? `${columns} columns without a class were looked at; none looks like personal data`
        : paint.table(
            ['region', 'table', 'column', 'class', 'looks like', 'of sample', 'tenants'],
            found.map((one) => [
              one.region,
              one.table,
              one.column,
              one.pii,
              one.looksLike,
              `${one.hits}/${one.sampled}`,
              one.tenants.join(', '),
            ]),
          ),
    ...(options.detailedExitcode && found.length > 0 ? { exit: EXIT.findings } : {}),
  };
};

const scanDatabase = async (
  client: Parameters<typeof readCatalogue>[0],
  { region, database }: RegionDatabase,
  links: readonly Link[],
): Promise<{ readonly found: Found[]; readonly columns: number }> => {
  const wanted = (name: string): readonly Link[] =>
    links.filter(
      ({ rule, scope }) =>
        matchesPatterns(rule.tables ?? [], name) &&
        (scope.kind !== 'schema' || splitTable(name).schema === scope.schema),
    );
  const catalogue = await readCatalogue(client, { tables: (name) => wanted(name).length > 0 });
  const found: Found[] = [];
  let columns = 0;
  for (const table of catalogue.tables.values()) {
    if (table.isPartition) continue;
    const open = unclassified(table, wanted(tableName(table)));
    columns += open.size;
    const sample = await sampleColumns(client, table, [...open.keys()]);
    for (const [column, values] of sample) {
      const likeness = looksPersonal(column, values);
      if (likeness)
        found.push({
          region,
          database,
          table: tableName(table),
          column,
          pii: likeness.pii,
          looksLike: likeness.as,
          hits: likeness.hits,
          sampled: values.filter((value) => value !== null).length,
          tenants: open.get(column)!,
        });
    }
  }
  return { found, columns };
};

/** Columns with the tenants whose rules give them no class; what a tenant does not send needs none. */
const unclassified = (table: TableFacts, links: readonly Link[]): Map<string, string[]> => {
  const open = new Map<string, string[]>();
  for (const { name, generated } of table.columns) {
    if (generated !== 'none') continue;
    const tenants = links
      .filter(({ columns }) => {
        const rule: ColumnRule | undefined = columns?.[tableName(table)]?.[name];
        return rule === undefined || (rule.action === 'allow' && rule.pii === undefined);
      })
      .map(({ tenant }) => tenant);
    if (tenants.length > 0) open.set(name, [...new Set(tenants)].toSorted());
  }
  return open;
};
