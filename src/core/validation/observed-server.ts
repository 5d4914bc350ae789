/** What precheck saw of one server and one of its databases, as data: what it means is decided by the checks. */

export interface ObservedServer {
  readonly region: string;
  readonly database: string;
  /** user@host:port/database; never a password. */
  readonly address: string;
  /** Reached over a socket or a loopback address. */
  readonly isLocal: boolean;
  /** server_version_num: 180004. */
  readonly version: number;
  readonly inRecovery: boolean;
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** Null where the role may not see it. */
  readonly tls: { readonly used: boolean; readonly version: string | null } | null;
  readonly settings: ObservedSettings;
  readonly used: { readonly slots: number; readonly senders: number; readonly origins: number };
  readonly slots: readonly ObservedSlot[];
  /** Names that begin with xcrepl_, of this database. */
  readonly publications: readonly string[];
  /** Names that begin with xcrepl_, of the whole server. */
  readonly origins: readonly string[];
  /** Physical standbys that stream from this server, or that have a slot to do so. */
  readonly standbys: readonly string[];
  readonly privileges: ObservedPrivileges;
  readonly extensions: ReadonlyMap<string, string>;
  /** Of pg_wal; null where the role may not look. */
  readonly walDirectoryBytes: number | null;
  /** Whether the schema xcrepl is there. */
  readonly initialised: boolean;
  readonly clock: ObservedClock | null;
}

export interface ObservedSettings {
  readonly walLevel: string;
  readonly maxReplicationSlots: number;
  readonly maxWalSenders: number;
  /** max_active_replication_origins; null before PostgreSQL 18, where max_replication_slots counts. */
  readonly maxActiveReplicationOrigins: number | null;
  /** max_slot_wal_keep_size in bytes; null for no limit. */
  readonly maxSlotWalKeepBytes: number | null;
  /** idle_replication_slot_timeout in milliseconds; null for none, or before PostgreSQL 18. */
  readonly idleSlotTimeoutMs: number | null;
  /** synchronized_standby_slots; null before PostgreSQL 17. */
  readonly synchronizedStandbySlots: readonly string[] | null;
  readonly trackCommitTimestamp: boolean;
}

export interface ObservedSlot {
  readonly name: string;
  readonly type: 'logical' | 'physical';
  /** Null for a physical slot. */
  readonly database: string | null;
  readonly active: boolean;
  readonly temporary: boolean;
  /** reserved, extended, unreserved or lost; null before the slot reserves anything. */
  readonly walStatus: string | null;
  /** Log that it holds back. */
  readonly retainedBytes: number | null;
}

export interface ObservedPrivileges {
  readonly role: string;
  readonly superuser: boolean;
  readonly replication: boolean;
  readonly bypassRowSecurity: boolean;
  /** CREATE on the database: for publications and the schema xcrepl. */
  readonly createInDatabase: boolean;
  /** SET on session_replication_role. */
  readonly setReplicationRole: boolean;
  /** Signatures of replication-origin functions that the role may not execute. */
  readonly deniedOriginFunctions: readonly string[];
}

/** Server clock minus ours, halfway through the quickest round trip; the truth is within ± half that round trip. */
export interface ObservedClock {
  readonly offsetMs: number;
  readonly uncertaintyMs: number;
}

/** What the role may do with one table. */
export interface ObservedAccess {
  readonly table: string;
  readonly owner: string;
  /** The role is the owner, or a member of it. */
  readonly owns: boolean;
  readonly select: boolean;
  readonly insert: boolean;
  readonly update: boolean;
  readonly delete: boolean;
  readonly truncate: boolean;
  readonly schemaUsage: boolean;
}
