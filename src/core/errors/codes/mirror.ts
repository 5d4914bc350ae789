/** Mirrors of objects: usage (XC-107x, exit 2), guards (XC-208x, exit 7), what is found (XC-543x, exit 6), leases (XC-613x, exit 5). */

import type { CodeEntry } from '../code-entry.ts';

export const mirrorCodes = {
  'XC-1070': {
    title: 'place of a mirror cannot be read',
    means:
      'A place is written as region:prefix, with nothing behind the colon for all objects, or both places are given by the id of one rule that has prefixes.',
    next: 'xcrepl objects sync us-east-1:photos/ eu-central-1:photos/, or xcrepl objects sync RULE',
  },
  'XC-2084': {
    title: 'place of a mirror belongs to another tenant',
    means:
      'Every mirror is of one tenant, or of what belongs to none. The prefix reaches into the place of a tenant in one of the two stores.',
    next: 'name the tenant with --tenant, and give the prefix below the tenant’s own place',
  },
  'XC-2085': {
    title: 'both places of a mirror overlap',
    means:
      'Source and target lie in the same store, one of them within the other, so that a copy would be copied again.',
    next: 'choose prefixes of which none begins with the other',
  },
  'XC-1071': {
    title: 'glob cannot be read',
    means:
      'A glob of --include or --exclude has a bracket or brace without its other half, or is empty. * and ? stay within one part of a key, ** does not.',
    next: 'correct the glob; docs/objects.md shows what they mean',
  },
  'XC-2080': {
    title: 'mirror would delete too much',
    means:
      'More objects of the target would be deleted than --max-delete allows, which is half of them where nothing is said. Nothing was copied or deleted.',
    next: 'look at the plan with --dry-run --out FILE; where that is what is wanted, give --max-delete a higher count or part',
  },
  'XC-2081': {
    title: 'source of a mirror is empty',
    means:
      'The source has no object below its prefix, and the target has: a wrong prefix, a lost mount or a filter is far more likely than a wish. Nothing was deleted.',
    next: 'check the prefix and the filters of the source',
  },
  'XC-2082': {
    title: 'object would be replaced, and --immutable forbids it',
    means: 'The target has another content under this key. It was left as it is.',
    next: 'find out who changed which side; without --immutable the source’s content takes its place',
  },
  'XC-2083': {
    title: 'canary object is not on both sides',
    means:
      '--check-access wants the same object on both sides before anything is done: proof that both are the places that they are taken for.',
    next: 'put the canary object on both sides once, or correct the places',
  },
  'XC-5430': {
    title: 'listing is out of order',
    means:
      'A store listed its keys in another order than that of their bytes. What seems to be missing might come later, so nothing is decided.',
    next: 'use a store that lists in order; S3 directory buckets do not',
  },
  'XC-5431': {
    title: 'manifest of a mirror does not hold',
    means: 'The manifest in the target store has another digest than its signed statement says, or is none.',
    next: 'find out who wrote there; --no-manifest compares without it and writes a new one',
  },
  'XC-5432': {
    title: 'object is still there after it was deleted',
    means: 'The store accepted the deletion, and has the object still or again.',
    next: 'check versioning, retention and other writers of the target, then run the sync again',
  },
  'XC-6130': {
    title: 'lease of a mirror was lost',
    means:
      'The lease in the target store could not be renewed in time, or another sync has taken it over. Nothing more was written; what was written is bound to the versions that were planned.',
    next: 'run the same command again',
  },
} as const satisfies Record<string, CodeEntry>;
