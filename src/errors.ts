/**
 * Every error that pgduplex raises itself. One base class, a stable string `driverCode` each, the `cause` kept, and a
 * message that says what failed, where, and what to do. No message ever contains a password or a key.
 *
 * `code` is what programs made for node-postgres look for: the SQLSTATE of what the server reports; the system's own code
 * (`ECONNREFUSED`, `ECONNRESET`, `ENOTFOUND`, ...) where a runtime's socket or TLS failed and gave one, and `ECONNRESET` of a
 * server that just hangs up; else the same as `driverCode`.
 *
 * @module
 */

/** What the driver was doing when an error arose. */
export type Phase =
  | "config" // reading options, before anything is sent
  | "open" // opening the transport
  | "tls" // negotiating TLS
  | "startup" // from StartupMessage to the first ReadyForQuery, authentication aside
  | "authentication"
  | "query"
  | "idle" // connected, nothing outstanding
  | "close";

/** Where an error arose: the connection and what it was doing. All of it optional, since errors arise at every layer. */
export interface ErrorPlace {
  /** The database host that was asked for. */
  readonly host?: string | undefined;
  /** The database port that was asked for. */
  readonly port?: number | undefined;
  /** The transport's name, as in `DuplexInfo.transport`. */
  readonly transport?: string | undefined;
  /** What the driver was doing. */
  readonly phase?: Phase | undefined;
}

/** What a runtime's socket, name server or TLS said of its failure, under Node's names. */
export interface SystemFailure {
  /** Such as `ECONNREFUSED`; of Node's TLS such as `DEPTH_ZERO_SELF_SIGNED_CERT`. */
  readonly code: string;
  /** The negative number of `code`, where it is an operating system's. */
  readonly errno?: number | undefined;
  /** What failed: `connect`, `read`, `write`, `getaddrinfo`. */
  readonly syscall?: string | undefined;
  /** The IP address, or the path of the socket, that was tried. */
  readonly address?: string | undefined;
  /** The name that could not be found. */
  readonly hostname?: string | undefined;
}

/** What an error may carry besides its message. */
export interface DriverErrorOptions extends ErrorPlace {
  /** What led to it, as it was thrown. */
  readonly cause?: unknown;
  /** True only where it is certain that the server did not act on the request, so that repeating it is harmless. */
  readonly safeToRetry?: boolean | undefined;
  /** What to do about it, where the message does not say so itself. */
  readonly hint?: string | undefined;
  /**
   * True for words of node-postgres's that programs compare with: the message is these words alone, and the place stands
   * in the properties.
   */
  readonly verbatim?: boolean | undefined;
  /** What the system said, which then gives `code`. */
  readonly system?: SystemFailure | undefined;
}

const kinds = Symbol.for("pgduplex.error.kinds");

/**
 * The base of every error that pgduplex raises.
 *
 * `instanceof` works by a brand and so survives two copies of the package in one program.
 *
 * @example
 * ```ts
 * import { DriverError } from "@pgduplex/pgduplex";
 * const error = new DriverError("EXAMPLE", "an example");
 * console.log(error instanceof DriverError, error.code); // true EXAMPLE
 * ```
 */
export class DriverError extends Error {
  /** The name under which this class brands its instances. */
  static readonly kind: string = "DriverError";

  /**
   * What node-postgres's programs compare: of a {@linkcode DatabaseError} the SQLSTATE; the system's own code, such as
   * `ECONNREFUSED`, where a runtime's socket or TLS failed and gave one, and `ECONNRESET` of a server that just hangs up;
   * else the {@linkcode DriverError.driverCode}.
   */
  declare code: string;
  /** The system's number for `code`, negative as Node's; there only where the system gave one. */
  declare errno?: number;
  /** What the system failed at, such as `connect`; there only where the system gave a code. */
  declare syscall?: string;
  /** The IP address, or the path of the socket, that the system tried; there only where it is known. */
  declare address?: string;
  /** The name that no name server knew; there only then. */
  declare hostname?: string;
  /** What the driver was doing. */
  declare phase: Phase | undefined;
  /** The database host that was asked for. */
  declare host: string | undefined;
  /** The database port that was asked for. */
  declare port: number | undefined;
  /** The transport in use, as in `DuplexInfo.transport`. */
  declare transport: string | undefined;
  /**
   * True only where it is certain that what failed has had no effect, so that the same may be asked for again: it was
   * never sent (an argument that cannot be encoded, a client that has ended, a query given up while it waited its turn, a
   * connection that could not be opened), or the server has done nothing but to refuse or undo it (a kept statement that
   * has become stale; a whole transaction that was rolled back for a serialization failure or a deadlock).
   *
   * False says nothing: a query whose connection broke, whose time ran out or which was aborted on its way may or may not
   * have been done. And true does not say that it will go better: what cannot be encoded cannot be encoded again. A query
   * within a transaction belongs to it: what is repeated then is the transaction.
   */
  declare safeToRetry: boolean;
  /** What to do about it, where the message does not say so itself; of a {@linkcode DatabaseError} the server's hint. */
  declare hint: string | undefined;
  readonly #verbatim: boolean;
  readonly #driverCode: string;

  /** The message is followed by the place, unless it is `verbatim`. */
  constructor(code: string, message: string, options: DriverErrorOptions = {}) {
    const { phase, host, port, transport, safeToRetry = false, hint, verbatim = false, system } = options;
    super(
      verbatim ? message : message + describePlace(options),
      "cause" in options ? { cause: options.cause } : undefined,
    );
    this.name = new.target.kind;
    Object.assign(this, { code, phase, host, port, transport, safeToRetry, hint });
    for (const [name, value] of Object.entries(system ?? {})) {
      if (value !== undefined) Object.assign(this, { [name]: value });
    }
    this.#driverCode = code;
    this.#verbatim = verbatim;
    Object.defineProperty(this, kinds, { value: [new.target.kind, "DriverError"] });
  }

  /**
   * The stable identifier of what failed, such as `TRANSPORT_OPEN_FAILED` or `TIMEOUT_CONNECT`, the same on every runtime
   * and whatever `code` is; of a {@linkcode DatabaseError} the SQLSTATE.
   */
  get driverCode(): string {
    return this.#driverCode;
  }

  /**
   * Tells the error where it arose, for a layer that knows more than the one that raised it. What is known already
   * stays.
   */
  addPlace(place: ErrorPlace): this {
    const before = describePlace(this);
    this.phase ??= place.phase;
    this.host ??= place.host;
    this.port ??= place.port;
    this.transport ??= place.transport;
    if (this.#verbatim) return this;
    const message = before !== "" && this.message.endsWith(before)
      ? this.message.slice(0, -before.length)
      : this.message;
    this.message = message + describePlace(this);
    return this;
  }

  /** Looks for the brand, which another copy of the package leaves as well. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    const branded = (value as { [kinds]?: readonly string[] } | null | undefined)?.[kinds];
    return Object.hasOwn(this, "kind") && (branded?.includes(this.kind) ?? false);
  }
}

/** An option, URL or argument is unusable. Raised before anything is sent. */
export class ConfigError extends DriverError {
  /** @internal */
  static override readonly kind: string = "ConfigError";
}

/** The byte stream could not be opened, or broke. */
export class TransportError extends DriverError {
  /** @internal */
  static override readonly kind: string = "TransportError";
}

/** TLS could not be negotiated, a certificate was refused, or the platform cannot honour a TLS option. */
export class TlsError extends DriverError {
  /** @internal */
  static override readonly kind: string = "TlsError";
}

/** The server asked for an authentication that is not allowed or not possible, or failed to prove itself. */
export class AuthenticationError extends DriverError {
  /** @internal */
  static override readonly kind: string = "AuthenticationError";
}

/** The peer sent something that is not the PostgreSQL protocol. */
export class ProtocolError extends DriverError {
  /** @internal */
  static override readonly kind: string = "ProtocolError";
}

/** A deadline passed. */
export class TimeoutError extends DriverError {
  /** @internal */
  static override readonly kind: string = "TimeoutError";
}

/** The client was used in a way it does not allow: a query after `end`, a second `connect`. */
export class ClientError extends DriverError {
  /** @internal */
  static override readonly kind: string = "ClientError";
}

/** An AbortSignal fired; `cause` is its reason. */
export class AbortError extends DriverError {
  /** @internal */
  static override readonly kind: string = "AbortError";
}

/** The pool could not hand out a client. */
export class PoolError extends DriverError {
  /** @internal */
  static override readonly kind: string = "PoolError";
}

/** What a client's `notice` event tells. */
export interface NoticeMessage extends ServerReport {
  /** The length of the message on the wire, in bytes. */
  readonly length: number;
  /** The message's kind. */
  readonly name: "notice";
}

/** What the server reports with an error or a notice; PostgreSQL documentation, "Error and Notice Message Fields". */
export interface ServerReport {
  /** Such as `ERROR`, `FATAL`, `NOTICE`; in English where the server is PostgreSQL 9.6 or newer. */
  severity: string;
  /** The SQLSTATE, such as `23505`; PostgreSQL documentation, "PostgreSQL Error Codes". */
  code: string;
  /** What is wrong, in the language of the server (`lc_messages`). */
  message: string;
  /** What more there is to say. */
  detail?: string;
  /** What might be done about it. */
  hint?: string;
  /** Where in the query the error is, counted in characters from 1. */
  position?: string;
  /** As `position`, in `internalQuery`. */
  internalPosition?: string;
  /** The query that failed, where it was not the client's own but, say, a function's. */
  internalQuery?: string;
  /** The context in which it arose: the calls that led there, innermost first. */
  where?: string;
  /** The schema of the object that the error is about. */
  schema?: string;
  /** The table that the error is about. */
  table?: string;
  /** The column that the error is about. */
  column?: string;
  /** The data type that the error is about. */
  dataType?: string;
  /** The constraint that was violated; an index where it is unique by an index alone. */
  constraint?: string;
  /** The file of PostgreSQL's source that reported it. */
  file?: string;
  /** The line of that file. */
  line?: string;
  /** The function in PostgreSQL's source that reported it. */
  routine?: string;
}

/**
 * An error that the server reports, with all its fields under node-postgres's names. `code` is the SQLSTATE, and the
 * message is the server's own.
 *
 * @example
 * ```ts
 * try {
 *   await client.query("insert into users (email) values ($1)", [email]);
 * } catch (error) {
 *   if (error instanceof DatabaseError && error.code === "23505") console.log("taken:", error.detail);
 * }
 * ```
 */
export class DatabaseError extends DriverError implements ServerReport {
  /** @internal */
  static override readonly kind: string = "DatabaseError";

  /** The length of the message on the wire, in bytes, as node-postgres reports it. */
  declare readonly length: number;
  /** As {@linkcode ServerReport.severity}. */
  declare severity: string;
  /** As {@linkcode ServerReport.detail}. */
  declare detail: string | undefined;
  /** Where in the query the error is, counted in characters from 1. */
  declare position: string | undefined;
  /** As {@linkcode ServerReport.internalPosition}. */
  declare internalPosition: string | undefined;
  /** As {@linkcode ServerReport.internalQuery}. */
  declare internalQuery: string | undefined;
  /** As {@linkcode ServerReport.where}. */
  declare where: string | undefined;
  /** As {@linkcode ServerReport.schema}. */
  declare schema: string | undefined;
  /** As {@linkcode ServerReport.table}. */
  declare table: string | undefined;
  /** As {@linkcode ServerReport.column}. */
  declare column: string | undefined;
  /** As {@linkcode ServerReport.dataType}. */
  declare dataType: string | undefined;
  /** As {@linkcode ServerReport.constraint}. */
  declare constraint: string | undefined;
  /** As {@linkcode ServerReport.file}. */
  declare file: string | undefined;
  /** As {@linkcode ServerReport.line}. */
  declare line: string | undefined;
  /** As {@linkcode ServerReport.routine}. */
  declare routine: string | undefined;

  /** @internal */
  constructor(report: ServerReport, options: DriverErrorOptions & { length?: number } = {}) {
    super(report.code, report.message, { ...options, verbatim: true });
    const { length = 0 } = options;
    Object.assign(this, { name: "error", length });
    // What the server did not say is there too, as node-postgres has it.
    for (const field of REPORTED) Object.assign(this, { [field]: report[field] });
  }
}

/** Whatever was thrown, as an Error. */
export function asError(cause: unknown): Error {
  if (cause instanceof Error) return cause;
  let words = "something that has no words was thrown"; // such as an object without a prototype
  try {
    words = String(cause);
  } catch {
    // As above.
  }
  return new Error(words, { cause });
}

/** What of a report an error has besides code and message. */
const REPORTED = [
  "severity",
  "detail",
  "hint",
  "position",
  "internalPosition",
  "internalQuery",
  "where",
  "schema",
  "table",
  "column",
  "dataType",
  "constraint",
  "file",
  "line",
  "routine",
] as const satisfies readonly (keyof ServerReport)[];

/** ` [db.example.com:5432 via websocket, during startup]`, as far as known. */
function describePlace({ host, port, transport, phase }: ErrorPlace): string {
  const address = host && (port === undefined ? host : `${host}:${port}`);
  const connection = [address, transport && `via ${transport}`].filter(Boolean).join(" ");
  const place = [connection, phase && `during ${phase}`].filter(Boolean).join(", ");
  return place && ` [${place}]`;
}
