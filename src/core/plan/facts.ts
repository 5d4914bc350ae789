/**
 * What was observed before deciding. Gathered once for a plan, and again before it runs; the plan's basis is a hash of
 * the part of it that decides.
 */

import type { RememberedManifest } from '../policy/manifest-memory.ts';
import type { Lsn } from '../change/lsn.ts';
import type { TenantScope } from '../config/schema.ts';
import type { TableShape } from '../schema-change/shape.ts';
import type { LinkId, Stream, StreamKey } from '../topology/link.ts';
import type { Catalogue, TableName } from '../topology/table.ts';
import type { ObservedAccess, ObservedServer } from '../validation/observed-server.ts';
import type { TimelineSwitch } from '../validation/positions/history.ts';

export interface ReplicationFacts {
  readonly gatheredAtMs: number;
  /** In order of their keys. */
  readonly streams: readonly StreamFacts[];
}

export interface StreamFacts {
  /** With all links that the configuration names for this pair, whatever was selected on the command line. */
  readonly stream: Stream;
  readonly source: SourceFacts;
  readonly target: TargetFacts;
}

export interface ServerFacts {
  readonly region: string;
  readonly database: string;
  /** pg_control_system(): the same number for a server and its physical copies. */
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** server_version_num: 180004. */
  readonly version: number;
  readonly inRecovery: boolean;
  readonly role: 'primary' | 'replica';
  readonly catalogue: Catalogue;
  /** Settings, free places and privileges; what they allow is judged as precheck does. */
  readonly observed?: {
    readonly server: ObservedServer;
    readonly access: readonly ObservedAccess[];
  };
}

export interface SourceFacts extends ServerFacts {
  /** End of the log, read after the target's checkpoints. */
  readonly currentLsn: Lsn;
  /** Timelines that led to this one; asked where the checkpoint belongs to another. */
  readonly history?: readonly TimelineSwitch[] | null;
  readonly walLevel: string;
  /** max_slot_wal_keep_size in bytes; null for no limit. */
  readonly maxSlotWalKeepBytes: number | null;
  /** Mean since the statistics were reset (pg_stat_wal); null where unknown. */
  readonly walBytesPerSecond: number | null;
  /** Slots of ours in this database. */
  readonly slots: readonly SlotFacts[];
  /** Publications of ours in this database. */
  readonly publications: readonly PublicationFacts[];
  /** Of a source that is a change log; its catalogue is then the log's, and it has no slots and publications. */
  readonly log?: LogFacts;
  /** The optimiser's estimate of the rows that links without a row in the target would copy, by table. */
  readonly scopedRows: ReadonlyMap<TableName, number>;
}

export interface LogFacts {
  readonly controlPlane: string;
  readonly tenant: string;
  readonly scope: TenantScope;
  /** The link that was recorded. */
  readonly link: LinkId;
  readonly copy: boolean;
  /** Where rows begin: before the copy where there is one. */
  readonly begin: Lsn;
  /** Where the copy is whole. */
  readonly start: Lsn;
  /** Position at which the oldest file that is there begins. */
  readonly oldest: Lsn;
  /** File that is named by the last seal and not there. */
  readonly awaited: string | null;
}

export interface SlotFacts {
  readonly name: string;
  /** pg_replication_slots.wal_status: reserved, extended, unreserved, lost; null before the slot reserves any. */
  readonly walStatus: string | null;
  readonly confirmedFlush: Lsn | null;
  readonly restart: Lsn | null;
  readonly active: boolean;
  /** pg_replication_slots.invalidation_reason, PostgreSQL 17. */
  readonly invalidation?: string | null;
  readonly plugin?: string | null;
}

export interface PublicationFacts {
  readonly name: string;
  readonly publishes: { readonly update: boolean };
  readonly tables: readonly {
    /** What it is called now. */
    readonly table: TableName;
    /** Its OID. */
    readonly relation?: number;
    /** pg_publication_tables.rowfilter: the server's own text of the expression; null without one. */
    readonly rowFilter: string | null;
    /** Names in the column list; null without one. */
    readonly columns: readonly string[] | null;
  }[];
}

export type LinkState =
  | 'copying'
  | 'catching-up'
  | 'streaming'
  /** An operator asked for it; it is carried until a run has put it on a slot of its own. */
  | 'pausing'
  | 'paused'
  | 'errored'
  | 'needs-repair'
  | 'stopping'
  | 'dropping';

export interface LinkRow {
  readonly link: LinkId;
  readonly stream: StreamKey;
  readonly slot: string;
  readonly state: LinkState;
  /** True once a runner has taken a stopping link off its stream. */
  readonly takenOff: boolean;
  /** What the state rests on: for an errored link, its error code and subject. */
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface CheckpointRow {
  readonly slot: string;
  readonly stream: StreamKey;
  readonly position: Lsn;
}

/** The copy of one table on one slot. */
export interface CopyRow {
  readonly slot: string;
  readonly table: TableName;
  readonly links: readonly LinkId[];
  readonly chunks: number;
  readonly done: number;
}

/** One table of one link (xcrepl.carried_tables). */
export interface CarriedRow {
  readonly table: TableName;
  /** Its OID at the source. */
  readonly relation: number;
  /** Side slot of a table that joins; null once it is on the link's own. */
  readonly slot: string | null;
  /** Whether all chunks of a joining table are there. */
  readonly copied: boolean;
}

export interface TargetFacts extends ServerFacts {
  /** Number of the newest migration of the schema xcrepl; null where there is none. */
  readonly schemaVersion: number | null;
  /** The region's epoch; null before init. */
  readonly epoch: number | null;
  /** When the stream last carried everything to its end; null before it did. */
  readonly lastSuccessMs?: number | null;
  /** System identifier of the source that the stream's checkpoints belong to; null before the first run. */
  readonly knownSource: string | null;
  /** Its timeline then; null where it is not known. */
  readonly knownTimeline?: number | null;
  /**
   * Bytes of today by tenant and source, as JSON.stringify([tenant, source]); where a budget of a day asks for it. A
   * tenant that is not among them used none.
   */
  readonly usedToday?: ReadonlyMap<string, number>;
  /** Signed manifests that were in force on it. */
  readonly manifests?: readonly RememberedManifest[];
  readonly links: readonly LinkRow[];
  /** Of links that the configuration has on this stream, and that stand on the other one of their rule's choice. */
  readonly elsewhere?: readonly LinkRow[];
  readonly checkpoints: readonly CheckpointRow[];
  readonly copies: readonly CopyRow[];
  /** Tables of the source as the stream last saw them: OID and name; columns while links of it are copied. */
  readonly noted?: readonly {
    readonly relation: number;
    readonly table: TableName;
    readonly columns?: TableShape['columns'] | null;
  }[];
  /** Of each link of which that is known: the tables that it carries, or is taking in. */
  readonly tables?: ReadonlyMap<LinkId, readonly CarriedRow[]>;
}
