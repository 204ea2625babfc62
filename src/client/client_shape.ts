/**
 * What node-postgres's client shows of itself besides what it does: programs and libraries read these fields.
 *
 * @module
 */

import { EventEmitter } from "events";
import type { ClientConfig } from "../config/client_config.ts";
import type { ConnectionOptions, PasswordSource } from "../config/options.ts";
import { escapeIdentifier, escapeLiteral } from "./escape.ts";

/** A connection's parameters under node-postgres's names. The password can be read, and does not show when printed. */
export interface ConnectionParameters {
  /** The user. */
  readonly user: string;
  /** The database. */
  readonly database: string;
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
  /** How long a query may take, in milliseconds; 0: for ever. */
  readonly query_timeout: number;
  /** Whether the host is a folder. */
  readonly isDomainSocket: boolean;
}

/** The base of the client: its resolved options, readable. */
export abstract class ClientShape extends EventEmitter {
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
    this.#ssl = typeof ssl === "object" && ssl !== null ? ssl as Readonly<Record<string, unknown>> : undefined;
    this.pipeline = pipeline;
  }

  /** The user. */
  get user(): string {
    return this.#options.user;
  }

  /** The database. */
  get database(): string {
    return this.#options.database;
  }

  /** The host: a name, an address, or the folder of a Unix-domain socket. */
  get host(): string {
    return this.#options.host;
  }

  /** The port. */
  get port(): number {
    return this.#options.port;
  }

  /** The password, or the function that gives it; null where there is none. */
  get password(): PasswordSource | null {
    return this.#options.password ?? null;
  }

  /** Whether TLS was asked for. `connectionInfo.secure` tells whether the connection is verified TLS. */
  get ssl(): boolean {
    const { mode } = this.#options.tls;
    return mode !== undefined && mode !== "disable";
  }

  /** Whether results are asked for in binary where no query says otherwise. */
  get binary(): boolean {
    return this.#options.binary;
  }

  /** The parameters of the connection. */
  get connectionParameters(): ConnectionParameters {
    const { user, database, host, port, binary, startupParameters, queryTimeoutMillis } = this.#options;
    const shown = {
      user,
      database,
      host,
      port,
      ssl: this.#ssl === undefined ? this.ssl : withoutKeyShown(this.#ssl),
      binary,
      application_name: startupParameters["application_name"],
      options: startupParameters["options"],
      query_timeout: queryTimeoutMillis,
      isDomainSocket: host.startsWith("/"),
    };
    return Object.defineProperty(shown, "password", { value: this.password }) as ConnectionParameters;
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

function withoutKeyShown(ssl: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.defineProperty({ ...ssl }, "key", { value: ssl["key"], enumerable: false });
}
