/** Which link a row belongs to: by the relation it is of, and by the bytes of its tenant column. */

import type { Route } from './batch.ts';
import { pgoutputField } from './tuple-plan.ts';

export interface RelationRoutes {
  /** Position of the tenant column in the relation message; null where the relation belongs to one link. */
  readonly tenantField: number | null;
  /** By the tenant column's bytes as latin1; one entry under "" where tenantField is null. */
  readonly byTenant: ReadonlyMap<string, Route>;
  /** A row has no key: it is found by all of its values. */
  readonly keyless: boolean;
  /** Changes of this relation are applied in the order of the source, never as a set. */
  readonly ordered: boolean;
}

/** Finds the route of a tuple; remembers the last tenant, because rows of one tenant come in runs. */
export class RouteFinder {
  readonly routes: RelationRoutes;
  #lastBytes: Buffer = Buffer.alloc(0);
  #last: Route | undefined;
  readonly #only: Route | undefined;

  constructor(routes: RelationRoutes) {
    this.routes = routes;
    this.#only = routes.tenantField === null ? routes.byTenant.get('') : undefined;
  }

  /** The route of the row, or undefined where it belongs to no link of this session. */
  find(bytes: Buffer, tuple: number): Route | undefined {
    const { tenantField } = this.routes;
    if (tenantField === null) return this.#only;
    const field = pgoutputField(bytes, tuple, tenantField);
    if (!field) return undefined;
    const [start, end] = field;
    const last = this.#lastBytes;
    if (this.#last && end - start === last.length && bytes.compare(last, 0, last.length, start, end) === 0)
      return this.#last;
    const route = this.routes.byTenant.get(bytes.toString('latin1', start, end));
    if (route) {
      this.#lastBytes = Buffer.from(bytes.subarray(start, end));
      this.#last = route;
    }
    return route;
  }

  /** Every variant that rows of this relation can have: for TRUNCATE. */
  *all(): Iterable<Route> {
    yield* this.routes.byTenant.values();
  }
}
