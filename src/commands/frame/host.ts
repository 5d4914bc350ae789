/**
 * What a command gets from the program: its ports, its output and its configuration, each made only when asked for,
 * so that a command that needs little loads little. Commands build a commander Command and return an outcome.
 */

import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { Clock, Random } from '../../core/time/clock.ts';
import type { LoadedConfig } from '../../core/config/loaded.ts';
import type { AuditEvent } from '../../core/audit/log.ts';

export interface GlobalFlags {
  readonly config: string | undefined;
  readonly output: 'table' | 'json' | 'yaml' | 'ndjson';
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
  readonly progress: 'auto' | 'bar' | 'plain' | 'none';
  readonly timeoutMs: number | undefined;
  readonly lockTimeoutMs: number | undefined;
  readonly input: boolean;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly metricsTextfile: string | undefined;
}

/** Narration for people, on stderr; silent with --quiet, more with --verbose. Redacts what secrets it was told of. */
export interface Narrator {
  info(text: string): void;
  detail(text: string): void;
  warn(text: string): void;
}

/** What a command found or did: a document for programs, and how a person sees it. */
export interface Outcome<D extends object = object> {
  /** Carries its own `schemaVersion`; printed as JSON or YAML as it stands. */
  readonly document: D;
  /** For ndjson: one line a record; the whole document where absent. */
  readonly records?: readonly object[];
  /** For `table`: text without trailing newline; colours only through the painter it gets. */
  readonly table: (paint: Painter) => string | Promise<string>;
  /** From core/errors/exit.ts; 0 where absent. */
  readonly exit?: number;
}

export interface Painter {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
  /** A table with a header row; cells are text. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): string;
}

export interface AuditRecorder {
  /** Durable in the log when it resolves. @throws XcError XC-6002, XC-7002 */
  append(...events: readonly AuditEvent[]): Promise<void>;
  /** Brings entries that wait in databases into the log, signs its checkpoint, and anchors it; never throws. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export interface Host {
  readonly flags: GlobalFlags;
  readonly clock: Clock;
  readonly random: Random;
  readonly narrator: Narrator;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly version: string;
  readonly commit: string;
  /** Whether stdout or stderr is a terminal, and whether a person can be asked. */
  readonly terminal: { readonly stdout: boolean; readonly stderr: boolean; readonly canAsk: boolean };
  /** Aborts at the first SIGINT or SIGTERM, and at --timeout with XC-7001 as its reason. */
  readonly signal: AbortSignal;
  /** Loads configuration (file, user file, environment, flags) once. @throws XcError XC-1002, XC-1003 */
  config(): Promise<LoadedConfig>;
  /** Resolves a secret reference and registers the value for redaction. @throws XcError XC-1005 */
  secret(reference: string): Promise<string>;
  /** Writes a line to stdout before the outcome: only for commands that stream records (--watch, --follow). */
  print(line: string): void;
  /** Replaces every secret that this process resolved; for text that goes elsewhere than the frame's outputs. */
  redact(text: string): string;
  /** The audit log: every action that changes something appends an entry. */
  readonly audit: AuditRecorder;
  /** Shows how far a long piece of work is, on stderr, as --progress says. */
  progress(name: string): ProgressTask;
  /**
   * Says what would be left behind if the process ended at once ("copy slot xcrepl_c_… on us-east-1"), for the second
   * interruption. The function that it returns takes that back.
   */
  leaves(what: string): () => void;
}

export interface ProgressTask {
  /** @param total null while it is not known @param detail a few words, such as rate and remaining time */
  update(done: number, total: number | null, detail?: string): void;
  end(): void;
}

/** One command of the tree; `load` brings its module in only when it is called or its own help is asked for. */
export interface CommandEntry {
  readonly name: string;
  /** One line, imperative, without a full stop. */
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

export interface CommandModule {
  /** A leaf, made with `leaf` (leaf.ts shows how): options, two examples, and an action that ends in `finish`. */
  readonly command?: (host: Host, finish: (outcome: Outcome) => void) => CommandUnknownOpts;
  /** A noun: its verbs. A module has one of the two, or both (`snapshot` alone does something). */
  readonly children?: readonly CommandEntry[];
}
