/** What checks of servers and tables find before anything runs, as precheck and plans tell it. */

import type { CodeEntry } from '../code-entry.ts';

export const checkCodes = {
  'XC-5300': {
    title: 'server setting stands in the way',
    means:
      'A setting of a server does not allow what replication needs, such as wal_level other than logical.',
    next: 'set what the remedy shows, then restart or reload the server',
  },
  'XC-5301': {
    title: 'too few slots, senders or origins are free',
    means:
      'A stream needs a replication slot and a WAL sender at its source and a replication origin at its target; none, or too few, are free.',
    next: 'raise the limit that the finding names, or remove what is no longer used',
  },
  'XC-5302': {
    title: 'left-over of an earlier stream',
    means:
      'A slot, publication or origin with our prefix belongs to no stream of this configuration. A slot keeps write-ahead log until the disk is full.',
    next: 'make sure that no other control plane owns it, then drop it with the statement of the finding',
  },
  'XC-5303': {
    title: 'server version does not fit',
    means:
      'The server is older than PostgreSQL 15, older than its peer, or lacks the minor release that fixes lost publication changes (15.13, 16.9, 17.5).',
    next: 'upgrade the server',
  },
  'XC-5304': {
    title: 'retention of the write-ahead log is risky',
    means:
      'max_slot_wal_keep_size or idle_replication_slot_timeout can take a slot’s log away, or nothing limits how much log a slot keeps.',
    next: 'set the limits to what the disk and the longest planned pause allow',
  },
  'XC-5305': {
    title: 'a failover of the source could leave its target ahead',
    means:
      'The source has standbys, and synchronized_standby_slots does not make logical slots wait for them: after a promotion the target could hold rows that the new source never had.',
    next: 'name the standbys’ slots in synchronized_standby_slots (PostgreSQL 17 or later)',
  },
  'XC-5306': {
    title: 'clocks differ between regions',
    means:
      'The servers’ clocks are further apart than conflict resolution by time, leases and lag measurements can bear.',
    next: 'synchronise the clocks of both servers (NTP, PTP)',
  },
  'XC-5307': {
    title: 'connection is not encrypted',
    means: 'A connection to an address that is not on this machine runs without TLS.',
    next: 'set sslmode=verify-full and sslrootcert in the DSN',
  },
  'XC-5308': {
    title: 'server is not what it is configured as',
    means: 'A source or target is in recovery, or source and target are the same database.',
    next: 'correct the DSN, or the roles of the regions',
  },
  'XC-5309': {
    title: 'extension is missing on the target',
    means: 'The source has an extension that the target has not.',
    next: 'CREATE EXTENSION on the target, after installing its package',
  },
  'XC-5310': {
    title: 'row filter is outside the replica identity',
    means:
      'A publication that filters rows by a column outside the replica identity makes the application’s own UPDATE fail. Nothing is created before this is put right.',
    next: 'make an index that contains the column the replica identity, as the statement of the finding does',
  },
  'XC-5311': {
    title: 'replica identity is missing or weak',
    means:
      'Without replica identity updates and deletes cannot be published; with FULL and no key they are found by comparing whole rows.',
    next: 'add a primary key, or choose a replica identity',
  },
  'XC-5312': {
    title: 'tenant column is missing',
    means:
      'A tenant is scoped by a column that a table in its rule does not have, so its rows cannot be told from others’.',
    next: 'exclude the table in the rule with !schema.table',
  },
  'XC-5313': {
    title: 'table is missing',
    means: 'A rule names no table on the source, or a table in scope is not on the target.',
    next: 'correct the rule, or create the table as the remedy shows; pg_dump --schema-only shows what else belongs to it: indexes, foreign keys, defaults, grants',
  },
  'XC-5314': {
    title: 'column is missing on the target',
    means: 'The source sends a column that the target’s table does not have.',
    next: 'add the column on the target',
  },
  'XC-5315': {
    title: 'column type differs',
    means:
      'Source and target give a column different types, or types of one name that are made differently. Wider types on the target are a warning only.',
    next: 'make the types equal',
  },
  'XC-5316': {
    title: 'target asks for a value that is not sent',
    means: 'A column of the target is NOT NULL, and the source sends no value or may send NULL.',
    next: 'drop NOT NULL on the target, or give the column a default',
  },
  'XC-5317': {
    title: 'generated column does not fit',
    means:
      'Generated columns are not published. A key cannot rest on one, and the other side must generate it too.',
    next: 'make the column generated, or plain, on both sides',
  },
  'XC-5318': {
    title: 'partitions do not fit',
    means:
      'Partitions differ between source and target, or a rule names a partition without its partitioned table. Rows are published under the partitioned table’s name.',
    next: 'create the partitions on the target, or correct the rule',
  },
  'XC-5319': {
    title: 'trigger fires for replicated rows',
    means: 'An ENABLE ALWAYS or ENABLE REPLICA trigger on the target runs for each replicated row.',
    next: 'ALTER TABLE … ENABLE TRIGGER, unless the trigger is meant to fire there',
  },
  'XC-5321': {
    title: 'row security hides rows',
    means:
      'Policies of row security apply to the role of the DSN, so a copy would be incomplete without an error.',
    next: 'give the role BYPASSRLS, or use the tables’ owner',
  },
  'XC-5322': {
    title: 'table is not logged',
    means: 'Changes of an unlogged table are not in the write-ahead log, and a crash empties it.',
    next: 'ALTER TABLE … SET LOGGED',
  },
  'XC-5323': {
    title: 'large objects are not carried',
    means: 'A column of type oid or lo may refer to large objects, which logical replication does not carry.',
    next: 'store the content in a bytea column, or copy it by other means',
  },
  'XC-5325': {
    title: 'keys differ',
    means:
      'The target lacks a unique index over the columns that name a row of the source, or has one that the source has not.',
    next: 'create or drop the index, as the statement of the finding does',
  },
  'XC-5327': {
    title: 'sequence is not carried',
    means:
      'Logical replication carries no values of sequences; they are carried along beside it, where the target has a sequence for the same column.',
    next: 'create the sequence on the target',
  },
  'XC-5328': {
    title: 'foreign key is not checked while rows are applied',
    means:
      'Rows are applied under session_replication_role = replica, in which foreign keys are not checked.',
    next: 'keep referenced tables in the same rule; with foreignKeys: check, verification counts rows that point to nothing',
  },
  'XC-5329': {
    title: 'no column list is possible',
    means:
      'PostgreSQL allows no column list for a table under REPLICA IDENTITY FULL, so columns that every tenant drops are sent to the runner and dropped there, on the source’s side of the border.',
    next: 'give the table a key as its replica identity',
  },
  'XC-5330': {
    title: 'tenants scope one table differently',
    means:
      'A publication has one row filter a table: tenants that share a stream tell their rows apart by the same column, or not at all.',
    next: 'give one of the rules dedicated: true',
  },
  'XC-5331': {
    title: 'rule for a column that is not there',
    means: 'Column rules of a tenant name a column that the table does not have; it may be misspelt.',
    next: 'correct the name under tenants.<tenant>.columns',
  },
  'XC-5332': {
    title: 'redacting link in an active-active rule',
    means:
      'A link that hashes, masks or drops columns goes one way only: read back, it would overwrite originals.',
    next: 'use mode: active-passive',
  },
  'XC-5334': {
    title: 'tenant column has a type that no filter allows',
    means: 'PostgreSQL allows only built-in types and collations in a publication’s row filter.',
    next: 'give the column a built-in type, or scope the tenant by schema',
  },
  'XC-5335': {
    title: 'tenant value does not fit its column',
    means: 'The value under scope is no value of the tenant column’s type, so the filter would be refused.',
    next: 'correct the value',
  },
  'XC-5340': {
    title: 'check could not be made',
    means:
      'A check did not get an answer within its time, or lacked the permission to look. What it would have found is unknown, and unknown is not pass.',
    next: 'see the reason in the finding; give a longer --timeout, or grant what it names',
  },
  'XC-5343': {
    title: 'rows point to nothing',
    means:
      'Rows that a link brought have no parent by a foreign key of the target, which nothing checks while rows are applied.',
    next: 'carry the referenced table in the same rule, or find out who changes it on the target',
  },
  'XC-5344': {
    title: 'no table of its own rows',
    means:
      'A rule names a view, a materialized view or a foreign table by its own name. Logical replication carries rows of tables only.',
    next: 'name the tables underneath; refresh materialized views on the target',
  },
  'XC-5341': {
    title: 'service is missing or unsafe',
    means:
      'A key file, Vault, object store or directory that the configuration names is missing, unreadable, unsafe or does not answer.',
    next: 'correct it as the finding says',
  },
  'XC-5342': {
    title: 'no registry is named',
    means: 'Live mode needs a global registry that is up, or the explicit statement that there is none.',
    next: 'set registry: { url: … }, or registry: none',
  },
} as const satisfies Record<string, CodeEntry>;
