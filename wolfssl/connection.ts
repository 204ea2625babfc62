/**
 * An established TLS connection as a Duplex: moves bytes between a session and the Duplex below it.
 *
 * @module
 */

import type { Duplex, DuplexInfo } from "../src/duplex/duplex.ts";
import type { TlsDuplex, TlsInfo } from "../src/tls/engine.ts";
import { TransportError } from "../src/errors.ts";
import { closedHere, connectionFailed } from "./failures.ts";
import { Outgoing, type Piece } from "./outgoing.ts";
import type { RecordCrypto } from "./record_crypto.ts";
import { concatenate } from "./records.ts";
import type { Session } from "./session.ts";

/** How much ciphertext is fetched ahead while records are being decrypted, in bytes. */
const READ_AHEAD = 256 * 1024;

const DONE: Promise<void> = Promise.resolve();

const NOTHING = new Uint8Array();

function after(before: Uint8Array, piece: Piece): Piece {
  return piece instanceof Promise ? piece.then((bytes) => concatenate([before, bytes])) : concatenate([before, piece]);
}

/** What was agreed, as this engine tells it. */
export interface WolfSslInfo extends TlsInfo {
  /** Whether an earlier session was resumed: its certificate and verification then stand for this one. */
  readonly resumed: boolean;
}

/** What a connection is made of. */
export interface ConnectionParts {
  readonly duplex: Duplex;
  readonly session: Session;
  /** Undefined where the core does all of the record protection. */
  readonly recordCrypto: RecordCrypto | undefined;
  readonly tls: WolfSslInfo;
  /** True where chain and name were verified. */
  readonly verified: boolean;
  /** Called after each batch of records was read, while the session is alive. */
  readonly onRead: (() => void) | undefined;
}

export class TlsConnection implements TlsDuplex {
  readonly info: DuplexInfo;
  readonly tls: WolfSslInfo;
  readonly closed: Promise<void>;
  readonly #duplex: Duplex;
  readonly #session: Session;
  readonly #recordCrypto: RecordCrypto | undefined;
  readonly #onRead: (() => void) | undefined;
  #over: { readonly error: (operation: string) => unknown } | undefined;
  #closed = false;
  readonly #outgoing: Outgoing;
  #fetching: Promise<void> | undefined;
  #fetchFailure: { readonly cause: unknown } | undefined;
  #reading = false;
  #ended = false;
  #ending: Promise<void> | undefined;
  #writeClosed = false;

  constructor({ duplex, session, recordCrypto, tls, verified, onRead }: ConnectionParts) {
    this.#duplex = duplex;
    this.#session = session;
    this.#recordCrypto = recordCrypto;
    this.#onRead = onRead;
    this.#outgoing = new Outgoing(duplex, (cause) => this.#fail("write", cause));
    this.tls = tls;
    this.info = { ...duplex.info, secure: verified, alpn: tls.alpn };
    this.closed = duplex.closed;
  }

  read(): Promise<Uint8Array | null> {
    if (this.#over !== undefined) return Promise.reject(this.#over.error("read"));
    if (this.#reading) {
      const { remote, transport } = this.info;
      const message = `a second read while one waits on the connection to ${remote}`;
      return Promise.reject(new TransportError("TRANSPORT_BUSY", message, { transport }));
    }
    try {
      const bytes = this.#take();
      return bytes === undefined ? this.#waitForBytes() : Promise.resolve(bytes);
    } catch (cause) {
      return Promise.reject(this.#fail("read", cause));
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#over !== undefined) return Promise.reject(this.#over.error("write"));
    if (this.#ending !== undefined) return Promise.reject(closedHere("write", "closeWrite came before", this.info));
    return bytes.length === 0 ? DONE : this.#encrypt(bytes);
  }

  closeWrite(): Promise<void> {
    if (this.#over !== undefined) return Promise.reject(this.#over.error("closeWrite"));
    return this.#ending ??= this.#endWriting();
  }

  close(reason: unknown = "closed by the client"): void {
    if (this.#closed) return;
    this.#closed = true;
    const failed = this.#over !== undefined;
    this.#over = { error: (operation) => closedHere(operation, reason, this.info) };
    if (failed) return;
    try {
      // As far as the transport still takes it: the server's log is quieter for it.
      if (this.#ending === undefined) this.#session.closeWrite();
      this.#flush()?.catch(() => {});
    } catch {
      // There is nobody left to tell.
    }
    this.#release(reason);
  }

  ref(): void {
    this.#duplex.ref?.();
  }

  unref(): void {
    this.#duplex.unref?.();
  }

  /** What can be read at once: null at the end, undefined where it has to be waited for. */
  #take(): Uint8Array | null | undefined {
    if (this.#ended) return null;
    const bytes = this.#session.read();
    this.#onRead?.();
    // An answer to a KeyUpdate, or an alert. Whoever reads is not to wait for what is written.
    this.#flush()?.catch(() => {});
    if (bytes === "closed") {
      this.#ended = true;
      this.#closeIfOver();
      return null;
    }
    // While these are looked at, others may come and be opened.
    if (bytes !== undefined && this.#session.records.size > 0) this.#fetchAhead();
    return bytes;
  }

  async #waitForBytes(): Promise<Uint8Array | null> {
    this.#reading = true;
    try {
      for (;;) {
        await this.#moreCiphertext();
        this.#assertAlive("read");
        const bytes = this.#take();
        if (bytes !== undefined) return bytes;
      }
    } catch (cause) {
      throw this.#fail("read", cause);
    } finally {
      this.#reading = false;
    }
  }

  /** After the goodbyes of both sides nobody would read the transport to its end, by which some know that they are closed. */
  #closeIfOver(): void {
    if (this.#ended && this.#writeClosed) this.#duplex.close("both sides have ended TLS");
  }

  /** Waits until the core can go on: until records were opened, or more has come. */
  async #moreCiphertext(): Promise<void> {
    const { hold } = this.#session.records;
    if (hold === undefined && this.#fetchFailure !== undefined) throw this.#fetchFailure.cause;
    this.#fetchAhead();
    await (hold ?? this.#fetching);
  }

  /** Sees to it that ciphertext is on its way, unless there is enough of it. */
  #fetchAhead(): void {
    const { ended, size } = this.#session.records;
    if (!ended && size < READ_AHEAD && this.#fetchFailure === undefined) this.#fetching ??= this.#fetch();
  }

  /** Never rejects: a failure is told once what came before it was read. */
  async #fetch(): Promise<void> {
    try {
      const chunk = await this.#duplex.read();
      if (this.#over !== undefined) return;
      const { records } = this.#session;
      if (chunk === null) return records.end();
      const before = this.#recordCrypto === undefined ? 0 : records.unread.length;
      const complete = records.push(chunk);
      this.#recordCrypto?.openAhead(complete, before);
    } catch (cause) {
      this.#fetchFailure = { cause };
    } finally {
      this.#fetching = undefined;
    }
  }

  async #encrypt(bytes: Uint8Array): Promise<void> {
    try {
      // What the core has to say (the handshake's last word, as a rule) leaves with the bytes, and in its place.
      const before = this.#session.takeOutput();
      const sealed = this.#recordCrypto?.wantsToSeal(bytes.length) ? this.#recordCrypto.seal(bytes) : undefined;
      if (sealed === undefined) this.#session.write(bytes);
      const made = sealed ?? this.#session.takeOutput() ?? NOTHING;
      await this.#outgoing.send(before === undefined ? made : after(before, made), bytes.length);
    } catch (cause) {
      throw this.#fail("write", cause);
    }
  }

  async #endWriting(): Promise<void> {
    try {
      this.#session.closeWrite();
      this.#flush()?.catch(() => {}); // met here
      await this.#outgoing.settled();
    } catch (cause) {
      throw this.#fail("closeWrite", cause);
    }
    await this.#duplex.closeWrite();
    this.#writeClosed = true;
    this.#closeIfOver();
  }

  #flush(): Promise<void> | undefined {
    const output = this.#session.takeOutput();
    return output && this.#outgoing.send(output, output.length);
  }

  #assertAlive(operation: string): void {
    if (this.#over !== undefined) throw this.#over.error(operation);
  }

  #fail(operation: string, cause: unknown): unknown {
    if (this.#over !== undefined) return this.#over.error(operation);
    const error = connectionFailed(cause, operation, this.info);
    this.#over = { error: () => error };
    // The alert that wolfSSL may have written for the peer.
    this.#flush()?.catch(() => {});
    this.#release(error);
    return error;
  }

  #release(reason: unknown): void {
    this.#session.destroy();
    this.#duplex.close(reason);
  }
}
