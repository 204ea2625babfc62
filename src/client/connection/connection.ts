/**
 * What submittables write to and listen on: the messages of the protocol under node-postgres's names.
 *
 * @module
 */

import { EventEmitter } from "events";
import type { PreparedStatement } from "../../session/statements.ts";
import { callOut } from "../call_out.ts";
import { parsedStatements } from "../parsed_statements.ts";
import { loadPart } from "../../part.ts";
import type { FrontendMessages } from "./frontend_messages.ts";
import type { RawConnection } from "./raw_connection.ts";
import { ConnectionStream } from "./stream.ts";

/** What Parse is told. */
export interface ParseConfig {
  /** The SQL, one statement. */
  readonly text: string;
  /** The name to keep the statement under; default none, until the next one without. */
  readonly name?: string | undefined;
  /** The OIDs of the parameters' types; those left out or 0 are left to the server. */
  readonly types?: readonly number[] | undefined;
}

/** What Bind is told. */
export interface BindConfig {
  /** The name of the portal to make; default none. */
  readonly portal?: string | undefined;
  /** The name of the statement; default the one without. */
  readonly statement?: string | undefined;
  /** Strings travel as text, bytes as binary; anything else as `valueMapper`, or our own encoding, makes of it. */
  readonly values?: readonly unknown[] | null | undefined;
  /** Whether to ask for the results in binary. Default false. */
  readonly binary?: boolean | undefined;
  /** Makes of each value what is sent. */
  readonly valueMapper?: ((value: unknown, index: number) => unknown) | undefined;
}

/** What Execute is told. */
export interface ExecuteConfig {
  /** The name of the portal; default the one without. */
  readonly portal?: string | undefined;
  /** Rows to ask for at once; 0 or undefined: all. */
  readonly rows?: number | string | undefined;
}

/** What Describe and Close are told: a statement (`S`) or a portal (`P`). */
export interface MessageConfig {
  /** Which of the two. */
  readonly type: "S" | "P";
  /** Its name; default the one without. */
  readonly name?: string | undefined;
}

/** What a connection asks of the client that it belongs to. */
export interface ConnectionControl {
  /** Whether it has been asked to end. */
  readonly ending: boolean;
  /** What is prepared on the connection; undefined until there is one. */
  readonly statements: Map<string, PreparedStatement> | undefined;
  destroy(reason: Error | undefined): void;
  ref(): void;
  unref(): void;
}

/** What a connection by hand is told. */
export interface ConnectionConfig {
  /** A Node stream, or a function that gives one, to be connected by its own `connect(port, host)`. */
  readonly stream?: unknown;
  /** Anything but false and undefined is refused; false is needed to send plaintext through `config.wsProxy`. */
  readonly ssl?: unknown;
  /** Whether TCP keep-alive probes are sent. */
  readonly keepAlive?: boolean | undefined;
  /** Silence before the first probe, in milliseconds. */
  readonly keepAliveInitialDelayMillis?: number | undefined;
}

/**
 * A client's connection as node-postgres's users know it, `client.connection`: a submittable writes the frontend's
 * messages by its methods, and hears the backend's as events (`rowDescription`, `readyForQuery`, ...).
 *
 * Only the submittable whose turn it is can write; what others write is dropped. Besides the submittable's messages the
 * events are `connect`, `parameterStatus`, `notice`, `notification`, `error` and `end`.
 *
 * One that is made by hand is opened by `connect` and driven message by message, on Node and where it is alike: for tools
 * that speak the protocol themselves. It knows no TLS.
 */
export class Connection extends EventEmitter {
  /** The byte stream, as far as submittables such as npm `pg-copy-streams` use it. */
  readonly stream: ConnectionStream;
  /** The texts of the statements that are prepared on this connection, by name. */
  readonly parsedStatements: Record<string, string>;
  /** Kept by submittables which name their statements. */
  readonly submittedNamedStatements: Record<string, string> = {};
  readonly #config: ConnectionConfig;
  readonly #control: ConnectionControl | undefined;
  #messages: FrontendMessages | undefined;
  /** The submittable whose turn it is, or was. */
  #latest: object | undefined;
  #raw: RawConnection | undefined;

  /** A connection by hand, which does nothing until `connect`. `control` is of those that clients make. */
  constructor(config?: ConnectionConfig | null, control?: ConnectionControl) {
    super();
    this.#config = config ?? {};
    this.#control = control;
    this.parsedStatements = control === undefined ? {} : parsedStatements(control);
    this.stream = new ConnectionStream({
      messages: () => this.#messages,
      destroy: (reason) => control ? control.destroy(reason) : this.#raw?.destroy(reason),
      ref: () => this.ref(),
      unref: () => this.unref(),
    });
    if (control === undefined) return;
    // As in node-postgres, who emits an error here or there breaks the connection.
    for (const emitter of [this, this.stream]) emitter.on("error", (error) => control.destroy(error));
  }

  /** As in node-postgres: whether the connection is being ended. */
  get _ending(): boolean {
    return this.#control?.ending ?? false;
  }

  /**
   * Lets messages be written, by this submittable as a rule. The client's affair.
   *
   * @internal
   */
  give(messages: FrontendMessages, submittable?: object): void {
    this.#messages = messages;
    this.#latest = submittable;
  }

  /**
   * Lets nobody write.
   *
   * @internal
   */
  take(): void {
    this.#messages = undefined;
  }

  /**
   * Opens a connection that was made by hand; `connect` or `error` is emitted. A client opens its own.
   *
   * @param port The port, or the path of a Unix-domain socket
   */
  connect(port: number | string, host = "localhost"): void {
    if (this.#control === undefined) void this.#open(port, host);
  }

  async #open(port: number | string, host: string): Promise<void> {
    try {
      const { openRaw } = await loadPart(async () => await import("./raw_connection.ts"));
      this.#raw = await openRaw(this, this.#config, port, host);
    } catch (error) {
      callOut(() => this.emit("error", error));
      callOut(() => this.emit("end"));
      return;
    }
    if (this.stream.destroyed) { // while it was being opened
      this.#raw.destroy(undefined);
      callOut(() => this.emit("end"));
      return;
    }
    this.#raw.start();
  }

  /** Sends StartupMessage on a connection by hand: the user, the database, and parameters to set. */
  startup(parameters: Readonly<Record<string, string>>): void {
    this.#raw?.startup(parameters);
  }

  /** Sends the password, or the answer to a challenge, on a connection by hand. */
  password(password: string): void {
    this.#raw?.password(password);
  }

  /** Sends CancelRequest on a connection by hand, instead of a startup. */
  cancel(processID: number, secretKey: number | Uint8Array): void {
    this.#raw?.cancel(processID, secretKey);
  }

  /** Sends a simple query. */
  query(text: string): void {
    this.#messages?.query(text);
  }

  /** Sends Parse. */
  parse(config: ParseConfig): void {
    this.#messages?.parse(config);
  }

  /** Sends Bind. */
  bind(config?: BindConfig): void {
    this.#messages?.bind(config);
  }

  /** Sends Describe. */
  describe(config: MessageConfig): void {
    this.#messages?.describe(config);
  }

  /** Sends Execute. */
  execute(config?: ExecuteConfig): void {
    this.#messages?.execute(config);
  }

  /**
   * Closes a statement or portal. Where no submittable is at work there is none left to close, which is said at once; but
   * not to a stream that the client's own end has cut off: as in node-postgres it stays silent, since who piped it away
   * does not expect its error, unless it is iterated, which would wait for ever.
   */
  close(config: MessageConfig): void {
    if (this.#messages !== undefined) return this.#messages.close(config);
    if (this._ending && isStreamThatNobodyAwaits(this.#latest)) return;
    queueMicrotask(() => this.emit("readyForQuery", { name: "readyForQuery" }));
  }

  /** Asks for what has been answered so far. */
  flush(): void {
    this.#messages?.flush();
  }

  /** Ends the exchange: the server answers it with ReadyForQuery. */
  sync(): void {
    this.#messages?.sync();
  }

  /** Sends a piece of COPY's data. */
  sendCopyFromChunk(chunk: Uint8Array): void {
    this.#messages?.sendCopyFromChunk(chunk);
  }

  /** Says that COPY's data is complete. */
  endCopyFrom(): void {
    this.#messages?.endCopyFrom();
  }

  /** Gives a COPY up: the server fails it for this reason. */
  sendCopyFail(reason: string): void {
    this.#messages?.sendCopyFail(reason);
  }

  /** Ends the connection under its client, for which that is a failure: whoever is done with a client ends that. */
  end(): void {
    if (this.#raw === undefined) this.stream.destroy();
    else this.#raw.end();
  }

  /** Lets the connection keep the process running, as it does by default, where the runtime knows that. */
  ref(): void {
    (this.#control ?? this.#raw)?.ref();
  }

  /** Lets the process end while the connection is open, where the runtime knows that. */
  unref(): void {
    (this.#control ?? this.#raw)?.unref();
  }
}

/** Node's streams are iterated by what listens to `readable`. */
function isStreamThatNobodyAwaits(submittable: object | undefined): boolean {
  const { destroyed } = (submittable ?? {}) as { destroyed?: unknown };
  return destroyed !== undefined && (submittable as EventEmitter).listenerCount("readable") === 0;
}
