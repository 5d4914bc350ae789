/**
 * An ErrorResponse of the server, kept with its SQLSTATE, because what to do about it is decided by that code and never
 * by its message. Fields: PostgreSQL documentation, 54.8 (Error and Notice Message Fields).
 */

export class ServerError extends Error {
  override readonly name = 'ServerError';
  /** SQLSTATE: five characters, PostgreSQL documentation, appendix A. */
  readonly sqlState: string;
  readonly detail: string | undefined;
  readonly constraint: string | undefined;
  readonly table: string | undefined;

  constructor(fields: ReadonlyMap<string, string>) {
    super(fields.get('M') ?? 'the server reported an error without a message');
    this.sqlState = fields.get('C') ?? 'XX000';
    this.detail = fields.get('D');
    this.constraint = fields.get('n');
    this.table = fields.has('t') ? `${fields.get('s') ?? ''}.${fields.get('t') ?? ''}` : undefined;
  }
}

/** Reads the body of an ErrorResponse: pairs of a field letter and a zero-terminated text, then a zero. */
export const serverError = (bytes: Buffer, start: number, end: number): ServerError => {
  const fields = new Map<string, string>();
  let at = start;
  while (at < end && bytes[at] !== 0) {
    const key = String.fromCharCode(bytes[at] ?? 0);
    const stop = bytes.indexOf(0, at + 1);
    if (stop < 0 || stop > end) break;
    fields.set(key, bytes.toString('utf8', at + 1, stop));
    at = stop + 1;
  }
  return new ServerError(fields);
};

/** Transient by nature: the same batch may succeed when it is tried again. */
const TRANSIENT = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available
  '55006', // object_in_use: a slot whose last reader is not gone yet
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57P05', // idle_session_timeout
  '53300', // too_many_connections
  '25P03', // idle_in_transaction_session_timeout
]);

export const isTransient = (error: unknown): boolean =>
  error instanceof ServerError && (TRANSIENT.has(error.sqlState) || error.sqlState.startsWith('08'));

/**
 * Classes of SQLSTATE in which a target refuses a change for what it is: data exception, constraint, cardinality,
 * triggered data change, external and SQL routine, WITH CHECK OPTION, program limit (a key too long for its index),
 * feature not supported, and RAISE of a trigger.
 */
const ROW_REFUSALS = new Set(['22', '23', '21', '27', '2F', '38', '39', '44', '54', '0A', 'P0']);

/** A row that a constraint, a type, a limit or a trigger refused. */
export const isRowRefusal = (error: unknown): error is ServerError =>
  error instanceof ServerError && ROW_REFUSALS.has(error.sqlState.slice(0, 2));

/** Classes that say something of the connection, the server or the transaction, and nothing of the change. */
const OF_THE_SERVER = new Set(['08', '25', '40', '53', '55', '57', '58', 'XX', 'XC']);

/** An error of the statement that was sent, which may concern one link of a batch alone. */
export const isOfStatement = (error: unknown): error is ServerError =>
  error instanceof ServerError && !OF_THE_SERVER.has(error.sqlState.slice(0, 2));
