/** Budgets (P6) of the bytes of a snapshot, between the region of its rows and that of its store. */

import { XcError } from '../../core/errors/xc-error.ts';
import type { LoadedConfig } from '../../core/config/loaded.ts';
import type { EngineProgress } from '../../core/replication/engine.ts';
import { streamsOf, type Link } from '../../core/topology/link.ts';
import type { Host } from '../frame/host.ts';

export interface Spending extends AsyncDisposable {
  readonly spend: (bytes: number, signal: AbortSignal) => Promise<void> | null;
}

const FREE: Spending = { spend: () => null, [Symbol.asyncDispose]: () => Promise.resolve() };

/** @throws XcError XC-2037 for a budget by the day where the other region has no database to count it in */
export const openSpending = async (host: Host, loaded: LoadedConfig, link: Link): Promise<Spending> => {
  const budget = loaded.config.budgets.find(
    ({ tenant, from, to }) => tenant === link.tenant && from === link.source && to === link.target,
  );
  if (!budget) return FREE;
  if (!loaded.config.regions[link.target]?.postgres)
    throw new XcError('XC-2037', {
      subject: link.id,
      why: `${link.target} has no database in which bytes could be counted`,
    });
  const { openBudgets } = await import('../replication/budgets.ts');
  const { regionDsns } = await import('../replication/selection.ts');
  const { parseDsn } = await import('../../providers/postgres/dsn.ts');
  const dsns = await regionDsns(host, loaded, [link.source, link.target]);
  const databases = Object.fromEntries(
    [...dsns].map(([region, dsn]) => [region, parseDsn(dsn, region).database]),
  );
  const [stream] = streamsOf(loaded.config.controlPlane, [link], databases);
  const budgets = openBudgets(host, { loaded, dsns });
  const pace = budgets.paceOf(stream!, SILENT);
  return {
    spend: (bytes, signal) => pace?.spend(link.id, bytes, signal) ?? null,
    [Symbol.asyncDispose]: async () => await budgets[Symbol.asyncDispose](),
  };
};

const SILENT: EngineProgress = {
  copied() {},
  streamed() {},
  applied() {},
  retained() {},
  note() {},
};
