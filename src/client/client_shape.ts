/**
 * What node-postgres's client shows of itself besides what it does: programs and libraries read these fields.
 *
 * @module
 */

import type { ClientConfig } from "../config/client_config.ts";
import type { ConnectionOptions, PasswordSource } from "../config/options.ts";
import { sslWithoutSecretsShown } from "../config/secrets.ts";
import type { TransactionStatus } from "../protocol/codes.ts";
import type { Session } from "../session/session.ts";
import { escapeIdentifier, escapeLiteral } from "./escape.ts";
import { QueryableBase } from "./queryable_base.ts";

/** A connection's parameters under node-postgres's names. The password can be read, and does not show when printed. */
export interface ConnectionParameters {
  /** As `user` of the client. */
  readonly user: string | undefined;
  /** As `database` of the client. */
  readonly database: string | undefined;
  /** The host: a name, an address, or the folder of a Unix-domain socket. */
  readonly host: string;
  /** The port. */
  readonly port: number;
  /** The password, or the function that gives it; null where there is none. */
  readonly password: PasswordSource | null;
  /** The `ssl` object that was given, else whether TLS was asked for. Its private key does not show when printed. */
  readonly ssl: boolean | Readonly<Record<string, unknown>>;
  /** Whether results are asked for in binary where no query says otherwise. */
  readonly binary: boolean;
  /** The name that the server shows for the connection. */
  readonly application_name: string | undefined;
  /** Run-time parameters as a command line. */
  readonly options: string | undefined;
  /** Whether this is a connection for replication, and of which kind. */
  readonly replication: string | undefined;
  /** PostgreSQL's `statement_timeout`, where it is asked for. */
  readonly statement_timeout: string | false;
  /** PostgreSQL's `lock_timeout`, where it is asked for. */
  readonly lock_timeout: string | false;
  /** PostgreSQL's `idle_in_transaction_session_timeout`, where it is asked for. */
  readonly idle_in_transaction_session_timeout: string | false;
  /** How long a query may take, in milliseconds; 0: for ever. */
  readonly query_timeout: number;
  /** Whether the host is a folder. */
  readonly isDomainSocket: boolean;
}

/** Where a client stands. */
export interface ClientStage {
  readonly at: "new" | "connecting" | "connected" | "ended";
  /** Whether `end` was called. */
  readonly ending: boolean;
  /** Whether the connection is over, or will never be. */
  readonly over: boolean;
  /** Whether it has ever been ready. */
  readonly wasReady: boolean;
  /** Whether it was ever asked for anything. */
  readonly queried: boolean;
  /** Whether something has the connection to itself, or will have. */
  readonly occupied: boolean;
  /** Why the connection broke or did not come to be. */
  readonly failure: Error | undefined;
  /** The session, also when it is over. */
  readonly session: Session | undefined;
  /** What was asked and is not answered yet, in its order. */
  readonly queries: () => readonly object[];
}

/** The base of the client: its resolved options and its stage, readable. */
export abstract class ClientShape extends QueryableBase {
  readonly #options: ConnectionOptions;
  readonly #ssl: Readonly<Record<string, unknown>> | undefined;
  /**
   * Whether `pipeline` was asked for. Queries are pipelined in any case; this adds node-postgres's rules for it: `end`
   * waits for what is outstanding, and what would hold others up is refused.
   */
  readonly pipeline: boolean;

  /** @internal */
  constructor(options: ConnectionOptions, { pipeline = false, ssl }: ClientConfig) {
    super();
    this.#options = options;
    this.#ssl = typeof ssl === "object" && ssl !== null ? sslWithoutSecretsShown(ssl) : undefined;
    this.pipeline = pipeline;
  }

  /**
   * Where the client stands.
   *
   * @internal
   */
  protected abstract get stage(): ClientStage;

  /** The user that was named; undefined where it is the operating system's, as node-postgres would have it. */
  get user(): string | undefined {
    return this.self.#options.userAssumed ? undefined : this.self.#options.user;
  }

  /** The database; undefined where it takes the name of a user that was not named. */
  get database(): string | undefined {
    const { userAssumed, user, database } = this.self.#options;
    return userAssumed && database === user ? undefined : database;
  }

  /** The host: a name, an address, or the folder of a Unix-domain socket. */
  get host(): string {
    return this.self.#options.host;
  }

  /** The port. */
  get port(): number {
    return this.self.#options.port;
  }

  /** The password, or the function that gives it; null where there is none. */
  get password(): PasswordSource | null {
    return this.self.#options.password ?? null;
  }

  /**
   * Whether TLS was asked for; the `ssl` object where that was given. Its private key does not show when printed.
   * `connectionInfo.secure` tells whether the connection is verified TLS.
   */
  get ssl(): boolean | Readonly<Record<string, unknown>> {
    const { tls: { mode }, wsProxy, openDuplex } = this.self.#options;
    // Where nothing was said a connection through others is verified TLS, and so it is for whoever takes this as an option.
    if (mode === undefined) return wsProxy !== undefined || openDuplex !== undefined;
    if (mode === "disable") return false;
    if (this.self.#ssl !== undefined) return this.self.#ssl;
    return mode === "no-verify" ? { rejectUnauthorized: false } : true;
  }

  /** Whether results are asked for in binary where no query says otherwise. */
  get binary(): boolean {
    return this.self.#options.binary;
  }

  /** The parameters of the connection. */
  get connectionParameters(): ConnectionParameters {
    const { host, port, binary, startupParameters, queryTimeoutMillis } = this.self.#options;
    const shown = {
      user: this.user,
      database: this.database,
      host,
      port,
      ssl: this.ssl,
      binary,
      application_name: startupParameters["application_name"],
      options: startupParameters["options"],
      replication: startupParameters["replication"],
      statement_timeout: startupParameters["statement_timeout"] ?? false,
      lock_timeout: startupParameters["lock_timeout"] ?? false,
      idle_in_transaction_session_timeout: startupParameters["idle_in_transaction_session_timeout"] ?? false,
      query_timeout: queryTimeoutMillis,
      isDomainSocket: host.startsWith("/"),
    };
    const password = { value: this.password, writable: true, configurable: true };
    return Object.defineProperty(shown, "password", password) as ConnectionParameters;
  }

  /**
   * The process that serves this connection; null until connected, as in node-postgres. Kysely's types know of a number or
   * none, and take a client whose type says no more.
   */
  get processID(): number | undefined {
    return this.stage.session?.processId ?? (null as unknown as undefined);
  }

  /** The key to cancel with: a number in protocol 3.0, bytes in 3.2; null until connected. */
  get secretKey(): number | Uint8Array | null {
    const key = this.stage.session?.secretKey;
    if (key === undefined) return null;
    return key.length === 4 ? new DataView(key.buffer, key.byteOffset, 4).getInt32(0) : key;
  }

  /** The transaction status of the last ReadyForQuery: `I` idle, `T` in a transaction, `E` in a failed one. */
  getTransactionStatus(): TransactionStatus | null {
    return this.stage.session?.transactionStatus ?? null;
  }

  // What pools and diagnostics read of node-postgres's client, although it is not documented there.

  /** As in node-postgres: what {@linkcode ClientShape.getTransactionStatus} returns. */
  get _txStatus(): TransactionStatus | null {
    return this.getTransactionStatus();
  }

  /** As in node-postgres: false once the connection has failed; and where it is that of another request of a Worker. */
  get _queryable(): boolean {
    const { failure, session } = this.stage;
    return failure === undefined && (session === undefined || session.failure === undefined && !session.foreign);
  }

  /**
   * For pools: whether a cursor, a row stream or a COPY was begun that others have to wait for.
   *
   * @internal
   */
  get _occupied(): boolean {
    return this.stage.occupied;
  }

  /** As in node-postgres: true once `end` was called. */
  get _ending(): boolean {
    return this.stage.ending;
  }

  /** As in node-postgres: true once the connection is over. */
  get _ended(): boolean {
    return this.stage.over;
  }

  /** As in node-postgres: true from `connect` until the server is ready. */
  get _connecting(): boolean {
    return this.stage.at === "connecting";
  }

  /** As in node-postgres: true from when the server was ready. */
  get _connected(): boolean {
    return this.stage.wasReady;
  }

  /** As in node-postgres: true where `connect` has failed. */
  get _connectionError(): boolean {
    const { failure, wasReady } = this.stage;
    return failure !== undefined && !wasReady;
  }

  /** As in node-postgres: whether nothing is outstanding; undefined until connected. */
  get readyForQuery(): boolean | undefined {
    const { session, wasReady } = this.stage;
    return wasReady ? session?.outstanding === 0 : undefined;
  }

  /**
   * As in node-postgres, for those who watch its queue: the queries behind the one that is answered next, although they are
   * sent as they come. What was given as a text or a config is a {@linkcode Query} here.
   */
  get _queryQueue(): readonly object[] {
    const { queries, wasReady } = this.stage;
    return queries().slice(wasReady ? 1 : 0);
  }

  /** As {@linkcode ClientShape._queryQueue}. */
  get queryQueue(): readonly object[] {
    return this._queryQueue;
  }

  /** As in node-postgres, for those who watch its queries: the one that is answered next, or null. */
  get _activeQuery(): object | null {
    const { queries, wasReady } = this.stage;
    return wasReady ? queries()[0] ?? null : null;
  }

  /** As {@linkcode ClientShape._activeQuery}. */
  get activeQuery(): object | null {
    return this._activeQuery;
  }

  /** As in node-postgres: true once a query was given, else undefined. */
  get hasExecuted(): true | undefined {
    return this.stage.queried || undefined;
  }

  /** As the exported `escapeIdentifier`. */
  escapeIdentifier(name: string): string {
    return escapeIdentifier(name);
  }

  /** As the exported `escapeLiteral`. */
  escapeLiteral(text: string): string {
    return escapeLiteral(text);
  }
}
