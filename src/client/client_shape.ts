/**
 * What node-postgres's client shows of itself besides what it does: programs and libraries read these fields.
 *
 * @module
 */

import { EventEmitter } from "events";
import type { ConnectionOptions, PasswordSource } from "../config/options.ts";
import { escapeIdentifier, escapeLiteral } from "./escape.ts";

/** A connection's parameters under node-postgres's names. The password can be read, and does not show when printed. */
export interface ConnectionParameters {
  readonly user: string;
  readonly database: string;
  readonly host: string;
  readonly port: number;
  readonly password: PasswordSource | null;
  readonly ssl: boolean;
  readonly binary: boolean;
  readonly application_name: string | undefined;
  readonly options: string | undefined;
  readonly query_timeout: number;
  readonly isDomainSocket: boolean;
}

/** The base of the client: its resolved options, readable. */
export abstract class ClientShape extends EventEmitter {
  readonly #options: ConnectionOptions;
  /** Whether `pipeline` was asked for. Queries are pipelined in any case. */
  readonly pipeline: boolean;

  constructor(options: ConnectionOptions, pipeline: boolean) {
    super();
    this.#options = options;
    this.pipeline = pipeline;
  }

  get user(): string {
    return this.#options.user;
  }

  get database(): string {
    return this.#options.database;
  }

  get host(): string {
    return this.#options.host;
  }

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
      ssl: this.ssl,
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
