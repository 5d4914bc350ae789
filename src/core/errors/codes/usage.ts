/** XC-1xxx: usage and configuration. Exit 2. */

import type { CodeEntry } from '../code-entry.ts';

export const usageCodes = {
  'XC-1001': {
    title: 'unknown or malformed argument',
    means: 'The command line names an option, value or subcommand that does not exist or does not fit.',
    next: 'see the same command with --help',
  },
  'XC-1002': {
    title: 'configuration is not valid',
    means:
      'One or more values of the configuration were refused. Every mistake is listed with file, line and column.',
    next: 'correct the listed places, then run xcrepl config validate',
  },
  'XC-1003': {
    title: 'configuration file cannot be read',
    means: 'The file named by --config, or found in the working directory, is missing or unreadable.',
    next: 'check the path, or write one with xcrepl config init',
  },
  'XC-1004': {
    title: 'malformed value',
    means: 'A value that must have a fixed form (an LSN, a duration, a size, a time range) has another.',
    next: 'give the value in the form that the message shows',
  },
  'XC-1005': {
    title: 'secret is missing',
    means:
      'A reference (env:, file:, cmd:, vault:) points to nothing. With a configuration or any DSN given this is never a quiet change to simulation.',
    next: 'set the secret where the reference points',
  },
  'XC-1006': {
    title: 'no such name in the configuration',
    means: 'A region, tenant, rule, link or table on the command line is not in the configuration.',
    next: 'list what there is with xcrepl config show',
  },
  'XC-1007': {
    title: 'capability not available in this version',
    means: 'The configuration parses and plans, but this part of it cannot run yet in the installed version.',
    next: 'leave it out of this run, or install a version that has it',
  },
  'XC-1008': {
    title: 'file exists already',
    means: 'The command would write over a file that is there, and --force was not given.',
    next: 'move the file away, or repeat the command with --force',
  },
  'XC-1009': {
    title: 'Node.js is too old',
    means:
      'The program needs a newer Node.js than the one that started it, and none was found beside the package.',
    next: 'install the version that the message names, or add it beside the package: npm install node@24',
  },
  'XC-1010': {
    title: 'DSN is malformed',
    means:
      'A connection string is not of the form postgres://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETERS, or has a parameter that is not known. Its text is not shown, because a mistyped one may show the password.',
    next: 'correct the secret that the region’s dsn refers to; percent-encode special characters in the password',
  },
  'XC-1011': {
    title: 'database does not exist',
    means: 'The server answers, but has no database of the name that the DSN or a tenant’s scope gives.',
    next: 'correct the name in the DSN or in the tenant’s scope, or create the database',
  },
  'XC-1012': {
    title: 'TLS file of a DSN cannot be read',
    means: 'A file named by sslrootcert, sslcert or sslkey is missing, unreadable or no certificate or key.',
    next: 'correct the path in the DSN, or the rights of the file',
  },
  'XC-1013': {
    title: 'file cannot be read',
    means: 'A file that the command line names is not there, or may not be read.',
    next: 'check the path and its permissions',
  },
  'XC-1201': {
    title: 'lab cannot be made like this',
    means: 'A region name, a version or a directory given to lab up does not fit.',
    next: 'see xcrepl lab up --help',
  },
  'XC-1202': {
    title: 'another lab is up in this directory',
    means:
      'lab up found a running lab with other regions, another version or another way to connect. A running lab is never replaced or taken for another one.',
    next: 'take it down with xcrepl lab down, or choose another --dir',
  },
  'XC-1203': {
    title: 'lab.json is no description of a lab',
    means:
      'The file is damaged or from a newer version. What it described is neither stopped nor removed, because that would be a guess.',
    next: 'stop the servers by hand if there are any, then remove the directory',
  },
  'XC-1204': {
    title: 'file is not overwritten',
    means: 'At the place of the configuration that lab up writes stands a file that it did not write.',
    next: 'name another place with --write-config, or move the file away',
  },
  'XC-1210': {
    title: 'no link is named',
    means: 'What pauses or resumes links acts on those that are named, and never on all by omission.',
    next: 'name one with --link, or several with --rule or --tenant',
  },
  'XC-1211': {
    title: 'link can be neither paused nor resumed as it is',
    means:
      'A link is paused while it streams, catches up or is errored. One that is being copied, was never run, is stopped or needs repair has nothing that could be kept for it.',
    next: 'see its state with xcrepl replication status',
  },
  'XC-1301': {
    title: 'malformed time range',
    means: 'A --window is two ISO 8601 times with a slash between them, of which one may be left out.',
    next: 'write it as 2026-01-01T00:00Z/2026-02-01T00:00Z',
  },
  'XC-1302': {
    title: 'table without a time column',
    means: 'A --window was given, and a table in scope has no declared time column, so it is copied whole.',
    next: 'name its column under rules[].timeColumns',
  },
  'XC-1303': {
    title: 'plan file cannot be used',
    means:
      'The file given with --plan is missing, unreadable, no plan, or of a newer version than this program.',
    next: 'make one with xcrepl replication simulate --out FILE',
  },
  'XC-1304': {
    title: 'nothing is selected',
    means: 'No link of the configuration fits all of the selecting options together.',
    next: 'list the rules with xcrepl config show, and leave out an option',
  },
  'XC-1305': {
    title: 'malformed condition',
    means: 'A --wait-for condition is a measure, a comparison and a limit, as in lag<5s or bytes<1MiB.',
    next: "write it as --wait-for 'lag<5s'",
  },
  'XC-1306': {
    title: 'confirmation does not fit',
    means: 'What was given with --confirm is not the name of the region that the action works on.',
    next: 'repeat the command with --confirm and the region that the message names',
  },
  'XC-1401': {
    title: 'key file cannot be used',
    means:
      'Signing keys are NIST P-256, private ones in cosign’s encrypted PEM ("ENCRYPTED SIGSTORE PRIVATE KEY"), public ones as SubjectPublicKeyInfo in PEM.',
    next: 'xcrepl policy keygen makes a pair; so does cosign generate-key-pair',
  },
  'XC-1402': {
    title: 'key file asks for too much work',
    means: 'The parameters of scrypt in the key file would take more than a gibibyte of memory, or are none.',
    next: 'use the key file as cosign wrote it, or make a new pair with xcrepl policy keygen',
  },
  'XC-1060': {
    title: 'address or credentials of an object store cannot be used',
    means:
      'The configuration’s `objects` does not say where the store is, or what a reference of it points to has another form: a service account’s key in JSON, a connection string.',
    next: 'correct objects of the region (docs/configuration.md), then run xcrepl precheck',
  },
  'XC-1061': {
    title: 'region has no object store',
    means: 'A command needs the object store of a region whose configuration has no `objects`.',
    next: 'add objects to the region in the configuration, or name another region',
  },
} as const satisfies Record<string, CodeEntry>;
