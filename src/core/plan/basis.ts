/**
 * What a plan rests on, as hashes of canonical JSON (RFC 8785). The basis covers everything that decides: a plan whose
 * basis moved is stale. The ground is the part of it that running a plan does not itself change, so that a plan that
 * was cut short can go on. LSNs, lag and sizes always move and are in neither.
 */

import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { ownName, tableName, type Catalogue, type TableFacts } from '../topology/table.ts';
import type { ReplicationFacts, ServerFacts, StreamFacts } from './facts.ts';
import type { Plan, Sha256 } from './plan.ts';
import { slotName } from '../topology/link.ts';
import { matchesPatterns } from '../topology/pattern.ts';
import { mayStart } from '../validation/positions/judge.ts';
import { judgeSlot } from './judge-slot.ts';
import { isPaused } from './pauses.ts';

export const digest = (value: unknown): Sha256 =>
  `sha256:${createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('hex')}`;

/** Of a plan as a file holds it: what JSON leaves out does not count. */
export const planDigest = (plan: Omit<Plan, 'digest'> & { readonly digest?: Sha256 }): Sha256 => {
  const { digest: _, ...rest } = plan;
  return digest(JSON.parse(JSON.stringify(rest)));
};

/** Epoch that `init` gives a region: a plan made before init stands after it. */
export const FIRST_EPOCH = 1;

export const groundOf = (facts: ReplicationFacts): Sha256 =>
  digest(facts.streams.map(groundOfStream).toSorted(byKey));

export const basisOf = (facts: ReplicationFacts): Sha256 =>
  digest(
    facts.streams
      .map((stream) => ({ ...groundOfStream(stream), moving: movingOfStream(stream) }))
      .toSorted(byKey),
  );

const byKey = (a: { readonly stream: string }, b: { readonly stream: string }): number =>
  a.stream < b.stream ? -1 : 1;

const groundOfStream = (facts: StreamFacts) => {
  const patterns = facts.stream.links.map((link) => link.rule.tables ?? []);
  const inScope = (name: string): boolean => patterns.some((tables) => matchesPatterns(tables, name));
  const server = (side: ServerFacts) => ({
    region: side.region,
    database: side.database,
    system: side.systemIdentifier,
    timeline: side.timeline,
    version: Math.floor(side.version / 10_000),
    recovery: side.inRecovery,
    role: side.role,
    schema: schemaOf(side.catalogue, inScope),
  });
  return {
    stream: facts.stream.key,
    source: server(facts.source),
    target: server(facts.target),
    epoch: facts.target.epoch ?? FIRST_EPOCH,
    links: facts.stream.links
      .map(({ id, rule, scope, columns, residency }) => ({
        id,
        rule,
        scope,
        columns: columns ?? null,
        residency: residency ?? null,
      }))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  };
};

const movingOfStream = (facts: StreamFacts) => ({
  gap: gapOf(facts),
  slots: facts.source.slots
    .filter((slot) => slot.name.includes(facts.stream.key))
    .map((slot) => ({ name: slot.name, wal: slot.walStatus === 'lost' ? 'lost' : 'kept' }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  links: facts.target.links
    .filter((row) => row.stream === facts.stream.key)
    .map((row) => ({
      id: row.link,
      slot: row.slot,
      off: row.state === 'stopping' || row.state === 'dropping',
      ...(isPaused(row) ? { paused: true } : {}),
    }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  joining: [...(facts.target.tables ?? [])]
    .flatMap(([link, rows]) =>
      rows.flatMap(({ table, slot }) => (slot === null ? [] : [[link, table, slot].join(' ')])),
    )
    .toSorted(),
});

/** What keeps the stream from its checkpoint: a repair ends it, and is then no longer what was reviewed. */
const gapOf = (facts: StreamFacts): string | null => {
  const own = slotName(facts.stream.key);
  if (!facts.target.checkpoints.some((row) => row.slot === own)) return null;
  const judgement = judgeSlot(facts, own, false);
  return mayStart(judgement) ? null : judgement.reason;
};

/** Tables in scope by name, with what decides how they are published, decoded and applied; no sizes, no OIDs. */
const schemaOf = (catalogue: Catalogue, inScope: (name: string) => boolean) =>
  [...catalogue.tables]
    .filter(([name]) => inScope(name))
    .map(([, table]) => shapeOf(table, catalogue))
    .toSorted((a, b) => (a.table < b.table ? -1 : 1));

const shapeOf = (table: TableFacts, catalogue: Catalogue) => ({
  table: tableName(table),
  kind: table.kind,
  persistence: table.persistence,
  leaves: table.leaves.toSorted(),
  identity: table.identity,
  identityColumns: table.identityColumns.toSorted(),
  primaryKey: table.primaryKey,
  columns: table.columns.map((column) => ({
    name: ownName(column),
    number: column.number,
    type: column.typeName,
    labels: catalogue.types.get(column.typeOid)?.labels ?? [],
    notNull: column.notNull,
    generated: column.generated,
    identity: column.identity,
  })),
  unique: table.indexes
    .filter((index) => index.unique || index.exclusion)
    .map((index) => ({ name: index.name, columns: index.columns }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  triggers: table.triggers
    .map(({ name, enabled }) => ({ name, enabled }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
});
