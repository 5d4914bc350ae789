/** Codes of snapshots: XC-106x usage, XC-207x safety, XC-541x integrity, XC-612x unavailable. */

import type { CodeEntry } from '../code-entry.ts';

export const snapshotCodes = {
  'XC-1062': {
    title: 'no such snapshot',
    means:
      'No store that was looked at has the manifest of this snapshot. One that is not finished has none.',
    next: 'list them with xcrepl snapshot list',
  },
  'XC-1063': {
    title: 'no key is trusted for snapshots',
    means: 'A manifest counts when a trusted key signed it, and the configuration trusts none for this.',
    next: 'give a key of signing.publicKeys the scope snapshot, or name one with --key',
  },
  'XC-1064': {
    title: 'restore has no such table',
    means:
      'A table of the snapshot is not on the target, or lacks a column of it; or --tables names none; or --as would put two tables of one name into one schema.',
    next: 'make the table (snapshots/parts/ID/schema.sql has its DDL), or restore beside it with --as SCHEMA',
  },
  'XC-2070': {
    title: 'restore would put redacted values in place of originals',
    means:
      'The snapshot holds hashes, masks or gaps where the region that it was taken of has the values themselves.',
    next: 'restore beside the originals with --as SCHEMA, or into another region',
  },
  'XC-2071': {
    title: 'target holds rows of the tenant already',
    means:
      'A restore adds to nothing: rows that are there belong to somebody, or were changed since this snapshot was restored here.',
    next: 'empty the tables, restore with --as SCHEMA, or replace them with --existing replace --confirm REGION',
  },
  'XC-5410': {
    title: 'manifest cannot be read',
    means: 'What stands at the place of a manifest is none, or is one of a later version.',
    next: 'restore from another snapshot; xcrepl snapshot list shows them',
  },
  'XC-5411': {
    title: 'manifest is not signed by a trusted key',
    means:
      'The signature is missing, or does not fit the manifest under any key that is trusted for snapshots: it was changed, or signed by somebody else.',
    next: 'take another snapshot; --unsigned takes one that nobody signed',
  },
  'XC-5412': {
    title: 'part of a snapshot is missing',
    means: 'The manifest names an object that the store does not have.',
    next: 'restore from another snapshot, or copy the part from a mirror of the store',
  },
  'XC-5413': {
    title: 'part of a snapshot is not what its manifest says',
    means:
      'An object has another length or sha256 than the signed manifest says: damaged, cut off, or replaced.',
    next: 'restore from another snapshot, or copy the part from a mirror of the store',
  },
  'XC-5414': {
    title: 'manifest contradicts itself',
    means:
      'Its Merkle root, sums or keys do not follow from the parts that it names: it was not made by this program as it stands.',
    next: 'restore from another snapshot',
  },
  'XC-5415': {
    title: 'restored table does not hold what the snapshot has',
    means:
      'After all parts were loaded, the tenant’s rows of the table are others than the parts brought: somebody wrote there meanwhile.',
    next: 'keep writers away, and restore again with --existing replace',
  },
  'XC-6120': {
    title: 'table was rewritten while a snapshot began',
    means:
      'A TRUNCATE or a rewriting ALTER TABLE committed between the snapshot and the lock on its tables: the snapshot would show the table empty.',
    next: 'run the same command again',
  },
} as const satisfies Record<string, CodeEntry>;
