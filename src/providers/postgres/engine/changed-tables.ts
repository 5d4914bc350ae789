/**
 * Which tables of which links may differ from what was last verified: what `verify: changed` compares. A link is trusted
 * when its last verification passed and everything that changed since is known by table.
 */

import type { LinkId } from '../../../core/topology/link.ts';
import type { TableName } from '../../../core/topology/table.ts';

export class ChangedTables {
  readonly #trusted: Set<LinkId>;
  readonly #tables = new Map<LinkId, Set<TableName>>();

  /**
   * @param before takes over whom it trusts, and begins with no changes: those are being verified now
   * @param known tables that changed since the last verification, of links that passed it
   */
  constructor(
    before: ChangedTables | null = null,
    known: ReadonlyMap<LinkId, readonly TableName[]> = new Map(),
  ) {
    this.#trusted = new Set([...(before ? before.#trusted : []), ...known.keys()]);
    for (const [link, tables] of known) this.#tables.set(link, new Set(tables));
  }

  touch(link: LinkId, table: TableName): void {
    const tables = this.#tables.get(link);
    if (tables) tables.add(table);
    else this.#tables.set(link, new Set([table]));
  }

  trust(link: LinkId): void {
    this.#trusted.add(link);
  }

  isTrusted(link: LinkId): boolean {
    return this.#trusted.has(link);
  }

  mayDiffer(link: LinkId, table: TableName): boolean {
    return !this.isTrusted(link) || (this.#tables.get(link)?.has(table) ?? false);
  }

  of(link: LinkId): TableName[] {
    return [...(this.#tables.get(link) ?? [])].toSorted();
  }
}
