/** XC-2xxx: policy and safety gates. Exit 7. */

import type { CodeEntry } from '../code-entry.ts';

export const policyCodes = {
  'XC-2001': {
    title: 'column without a rule',
    means:
      'A tenant with column rules is default-deny (gate P1): a column that no rule names stops the plan or the stream before any of its bytes leave the region.',
    next: 'name the column under tenants.<tenant>.columns with allow, hash, mask or drop',
  },
  'XC-2002': {
    title: 'column rule does not fit the column',
    means:
      'hash and mask give text, so they fit text, varchar, char and citext columns and domains over them; a hash needs room for at least 32 characters.',
    next: 'set the rule to drop or allow, or widen the column on both sides',
  },
  'XC-2003': {
    title: 'column rule would lose the key',
    means:
      'A column of the primary key or replica identity that is dropped or masked makes different rows the same on the target, where changes could then no longer find their row.',
    next: 'set the rule of the key column to allow, or to hash where it is of a text type',
  },
  'XC-2004': {
    title: 'tenant column must be allowed',
    means:
      'The column that tells tenants apart is compared with the tenant’s value on both sides. Hashed, masked or dropped, the rows of the tenant could not be found on the target.',
    next: 'set the rule of the tenant column to allow',
  },
  'XC-2005': {
    title: 'hash key is missing or too short',
    means:
      'A hash rule names a key that hashKeys does not hold, or whose secret has fewer than 16 bytes and could be guessed.',
    next: 'give the key under hashKeys a reference to a random secret of at least 16 bytes',
  },
  'XC-2006': {
    title: 'row of another tenant',
    means:
      'A row arrived that belongs to none of the tenants that this link carries (gate P5). The link stopped before it was written.',
    next: 'compare the tenant column of the table with the tenants of the configuration',
  },
  'XC-2010': {
    title: 'table without the tenant’s column',
    means:
      'A rule names a table for a tenant that is scoped by a column, and the table has no such column: publishing it would send every tenant’s rows.',
    next: 'exclude the table with a leading ! in the rule’s tables, or give the table the column',
  },
  'XC-2011': {
    title: 'tenants of one stream scope a table differently',
    means:
      'All tenants of one pair of databases share a publication, which has one row filter for each table. These tenants need different ones.',
    next: 'give the rule of one of them dedicated: true, or exclude the table from it',
  },
  'XC-2013': {
    title: 'row filter outside the replica identity',
    means:
      'Publishing the table with this filter would make the application’s own UPDATE and DELETE fail, because the filter’s column is not part of the replica identity.',
    next: 'give the table a replica identity that contains the column',
  },
  'XC-2014': {
    title: 'a check blocks the plan',
    means: 'A check of severity block found that the plan would fail, or would do harm. Nothing was created.',
    next: 'xcrepl precheck shows every finding with its remedy',
  },
  'XC-2015': {
    title: 'a warning stops the plan',
    means: 'With --strict a finding of severity warn is a refusal.',
    next: 'do what the findings say, or leave --strict out',
  },
  'XC-2016': {
    title: 'region is not initialised',
    means:
      'The schema xcrepl is missing in a target database, or older than this program. It holds checkpoints and link states, so nothing runs without it.',
    next: 'xcrepl init --region REGION',
  },
  'XC-2032': {
    title: 'data would leave its zones',
    means:
      'The tenant’s residency names the zones where its data may be, and the target region is in another one. With redacted: any what is hashed, masked, dropped or classified pii: none may go further.',
    next: 'take the region out of the rule’s to, or redact or classify (pii: none) every column that the message names',
  },
  'XC-2030': {
    title: 'signature does not hold',
    means:
      'The bundle is malformed, signed by a key that is not known here, or the signature does not fit what it is said to sign.',
    next: 'have it signed again by a key that signing.publicKeys names; xcrepl policy verify shows what it checks',
  },
} as const satisfies Record<string, CodeEntry>;
