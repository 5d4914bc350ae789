/** What gates, manifests, approvals and evidence refuse: XC-14xx (exit 2), XC-20xx (7), XC-303x (8), XC-56xx (6). */

import type { CodeEntry } from '../code-entry.ts';

export const signingCodes = {
  'XC-1403': {
    title: 'manifest is malformed',
    means:
      'A signed manifest is YAML or JSON with schemaVersion, kind (tenant or replication), controlPlane, version and either one entry of tenants or a list of rules. Unknown keys are refused.',
    next: 'correct what the message names, and publish it again with xcrepl policy publish',
  },
  'XC-1404': {
    title: 'policy file is malformed',
    means:
      'A policy file holds cases: each with a name, an intent, facts and the expected verdict of gates. Unknown keys are refused.',
    next: 'correct what the message names; docs/policy.md shows a file',
  },
  'XC-1405': {
    title: 'key is not the one that is named',
    means: 'The private key that was given belongs to another public key than the one that was named.',
    next: 'give the key of the person who is named, or name the one whose key it is',
  },
  'XC-1406': {
    title: 'signing needs cosign',
    means:
      'A key in a key service (awskms://, gcpkms://, azurekms://, hashivault://), or --signer cosign, is used through the program cosign, which is not on PATH.',
    next: 'install cosign, or sign with a key file',
  },
  'XC-1407': {
    title: 'key is of another curve',
    means: 'Signing keys are NIST P-256; the file holds a key of another kind.',
    next: 'make a pair with xcrepl policy keygen',
  },
  'XC-1408': {
    title: 'key file is cut off',
    means: 'The file begins as a private key in PEM and lacks its end.',
    next: 'copy the key file again, whole',
  },
  'XC-1409': {
    title: 'bundle of evidence cannot be read',
    means: 'The file is no tar archive, or not one that evidence export makes.',
    next: 'make it again with xcrepl evidence export RUN',
  },
  'XC-2033': {
    title: 'personal data would leave as it is',
    means:
      'A column that is classified as personal has the rule allow (gate P1). That takes a manifest of the tenant that a key with the scope pii:replicate signed, and approvals of it.',
    next: 'set the rule to hash, mask or drop, or have a manifest signed and approved',
  },
  'XC-2034': {
    title: 'manifest is not in force',
    means:
      'A manifest of the directory signing.manifests has no signature, or no pointer, or none of a key that signing.publicKeys lets sign manifests (gate P2).',
    next: 'xcrepl policy publish FILE --key KEY signs a manifest and its pointer',
  },
  'XC-2035': {
    title: 'run cannot be observed',
    means: 'What runs until it is stopped serves /health and /metrics (gate P4).',
    next: 'give it --metrics-addr HOST:PORT',
  },
  'XC-2036': {
    title: 'tenants own the same rows',
    means:
      'Two tenants of the configuration have the same scope in one region, so rows of one would be taken for the other’s (gate P5).',
    next: 'correct the scope of one of them',
  },
  'XC-2037': {
    title: 'budget is used up',
    means: 'The tenant has used its bytes of the day between these regions (gate P6). Nothing is dropped.',
    next: 'wait for the next day (UTC), or raise the budget',
  },
  'XC-2038': {
    title: 'not verified by checksum',
    means: 'Snapshots, rebuilds and promotions count only when every part was verified by sha256 (gate P7).',
    next: 'verify it, or make it again',
  },
  'XC-2039': {
    title: 'manifest was rolled back',
    means:
      'The signed pointer names an older version than one that was in force before, or another content under the same version.',
    next: 'publish a newer version, or find out who put the old one there',
  },
  'XC-2040': {
    title: 'pointer has expired',
    means:
      'A signed pointer to the newest version is good until it expires: an old one that is kept in place would hide newer versions.',
    next: 'xcrepl policy publish FILE --key KEY signs a fresh one',
  },
  'XC-2041': {
    title: 'pointer and manifest do not belong together',
    means: 'The signed pointer names another name, version or sha256 than the manifest beside it has.',
    next: 'put the manifest and the pointer of one publishing side by side',
  },
  'XC-2042': {
    title: 'signed by a key that is not known',
    means: 'The signature names a key that is not among those that were given.',
    next: 'give the public key of whoever signed it, if it is to be trusted',
  },
  'XC-2061': {
    title: 'later than its budget allows',
    means:
      'What the stream applied of a tenant was later than maxLatency of its budget (gate P6). Its copies begin no further chunk until it is not; nothing is dropped. Told in the log of the run, and in its report by the 99th percentile.',
    next: 'xcrepl replication status shows where the time goes; raise the budget where it asks for too much',
  },
  'XC-2060': {
    title: 'signed manifest is gone',
    means:
      'A signed manifest was in force on this target, and what it spoke of is now said by the configuration file alone, which nobody signed.',
    next: 'put the manifest back, or publish a newer version of it: xcrepl policy publish FILE --key KEY',
  },
  'XC-3030': {
    title: 'approval is missing',
    means:
      'In production what destroys, promotes, demotes or overrides runs only with the approvals that signing.approvals asks for (gate P3).',
    next: 'write it down (--out PLAN of the command, or of replication simulate), have whoever asks sign it (xcrepl policy sign PLAN --key KEY) and others approve it (xcrepl approve PLAN --approved-by NAME --key-ref KEY), then repeat the command with --plan PLAN',
  },
  'XC-3031': {
    title: 'approval does not hold',
    means: 'The file is no approval, or its signature does not fit what it says.',
    next: 'have it made again with xcrepl approve',
  },
  'XC-3032': {
    title: 'approver is not known',
    means: 'The key that approved is not under signing.publicKeys with the scope approve.',
    next: 'have somebody approve who may',
  },
  'XC-3033': {
    title: 'approval is for something else',
    means: 'It names the sha256 of another plan or manifest than the one that it is given with.',
    next: 'have this plan approved',
  },
  'XC-3034': {
    title: 'approver asked for it',
    means: 'Nobody approves what they asked for themselves: the key that approved also signed the plan.',
    next: 'have somebody else approve',
  },
  'XC-3035': {
    title: 'approval has expired',
    means: 'Approvals are good for a while (signing.approvals.validFor, 24 h where nothing is said).',
    next: 'have it approved again',
  },
  'XC-3036': {
    title: 'approval comes from the future',
    means: 'It was made later than now by more than five minutes: a clock is far off.',
    next: 'set the clock of this machine, or of the approver’s, and approve again',
  },
  'XC-3037': {
    title: 'nothing proves who asked',
    means:
      'What needs approval is signed by whoever asks for it, so that approvers are somebody else. The plan has no signature of a key that signing.publicKeys names.',
    next: 'xcrepl policy sign PLAN --key KEY',
  },
  'XC-5605': {
    title: 'evidence does not hold',
    means: 'A part of the bundle is missing, changed, or does not prove what it is there for.',
    next: 'get the bundle again from whoever exported it; what failed is named',
  },
} as const satisfies Record<string, CodeEntry>;
