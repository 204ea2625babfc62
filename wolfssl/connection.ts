/**
 * An established TLS connection as a Duplex: moves bytes between a session and the Duplex below it.
 *
 * @module
 */

import type { Duplex, DuplexInfo } from "../src/duplex/duplex.ts";
import type { TlsDuplex, TlsInfo } from "../src/tls/engine.ts";
import { TransportError } from "../src/errors.ts";
import { closedHere, connectionFailed } from "./failures.ts";
import type { RecordCrypto } from "./record_crypto.ts";
import type { Session } from "./session.ts";

/** How much ciphertext is fetched ahead while records are being decrypted, in bytes. */
const READ_AHEAD = 256 * 1024;

const DONE: Promise<void> = Promise.resolve();

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
  #fetching: Promise<void> | undefined;
  #reading = false;
  #ended = false;
  #sealing: Promise<void> | undefined;
  #writeEnded = false;
  #writeClosed = false;

  constructor({ duplex, session, recordCrypto, tls, verified, onRead }: ConnectionParts) {
    this.#duplex = duplex;
    this.#session = session;
    this.#recordCrypto = recordCrypto;
    this.#onRead = onRead;
    this.tls = tls;
    this.info = { ...duplex.info, secure: verified, alpn: tls.alpn };
    this.closed = duplex.closed;
  }

  async read(): Promise<Uint8Array | null> {
    this.#assertAlive("read");
    if (this.#reading) {
      const { remote, transport } = this.info;
      throw new TransportError("TRANSPORT_BUSY", `a second read while one waits on the connection to ${remote}`, {
        transport,
      });
    }
    this.#reading = true;
    try {
      return await this.#nextBytes();
    } catch (cause) {
      throw this.#fail("read", cause);
    } finally {
      this.#reading = false;
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#over !== undefined) return Promise.reject(this.#over.error("write"));
    if (this.#writeEnded) return Promise.reject(closedHere("write", "closeWrite came before", this.info));
    if (bytes.length === 0) return DONE;
    if (this.#sealing === undefined && this.#recordCrypto?.wantsToSeal(bytes.length) !== true) {
      return this.#encrypt(bytes);
    }
    return this.#enqueue(() => this.#sealAndEncrypt(bytes));
  }

  closeWrite(): Promise<void> {
    if (this.#over !== undefined) return Promise.reject(this.#over.error("closeWrite"));
    if (this.#writeEnded) return this.#sealing ?? DONE;
    this.#writeEnded = true;
    return this.#enqueue(async () => {
      this.#session.closeWrite();
      await this.#flush();
      await this.#duplex.closeWrite();
      this.#writeClosed = true;
      this.#closeIfOver();
    });
  }

  close(reason: unknown = "closed by the client"): void {
    if (this.#closed) return;
    this.#closed = true;
    const failed = this.#over !== undefined;
    this.#over = { error: (operation) => closedHere(operation, reason, this.info) };
    if (failed) return;
    try {
      // As far as the transport still takes it: the server's log is quieter for it.
      if (!this.#writeEnded) this.#session.closeWrite();
      this.#flush().catch(() => {});
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

  async #nextBytes(): Promise<Uint8Array | null> {
    while (!this.#ended) {
      const bytes = this.#session.read();
      this.#onRead?.();
      // An answer to a KeyUpdate, or an alert. Whoever reads is not to wait for what is written.
      this.#flush().catch(() => {});
      if (bytes instanceof Uint8Array) return bytes;
      if (bytes === "closed") this.#ended = true;
      else await this.#moreCiphertext();
      this.#assertAlive("read");
    }
    this.#closeIfOver();
    return null;
  }

  /** After the goodbyes of both sides nobody would read the transport to its end, by which some know that they are closed. */
  #closeIfOver(): void {
    if (this.#ended && this.#writeClosed) this.#duplex.close("both sides have ended TLS");
  }

  /** Waits until the core can go on: until a record was decrypted or more has come, fetching ahead meanwhile. */
  async #moreCiphertext(): Promise<void> {
    const { records } = this.#session;
    const { hold } = records;
    if (hold !== undefined && (records.ended || records.size >= READ_AHEAD)) return void await hold;
    this.#fetching ??= this.#fetch().finally(() => this.#fetching = undefined);
    this.#fetching.catch(() => {}); // met by the next read, where this one goes on with a record
    await (hold === undefined ? this.#fetching : Promise.race([hold, this.#fetching]));
  }

  async #fetch(): Promise<void> {
    const { records } = this.#session;
    const chunk = await this.#duplex.read();
    if (this.#over !== undefined) return;
    if (chunk === null) return records.end();
    const before = records.unread.length;
    const complete = records.push(chunk);
    this.#recordCrypto?.openAhead(complete, before);
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const sealing = (this.#sealing ?? DONE).then(work).finally(() => {
      if (this.#sealing === sealing) this.#sealing = undefined;
    });
    this.#sealing = sealing;
    sealing.catch(() => {}); // every writer has its own promise
    return sealing;
  }

  async #sealAndEncrypt(bytes: Uint8Array): Promise<void> {
    this.#assertAlive("write");
    const wanted = this.#recordCrypto?.wantsToSeal(bytes.length) === true;
    const sealed = wanted ? await this.#recordCrypto?.seal(bytes) : undefined;
    this.#assertAlive("write");
    if (sealed === undefined) return await this.#encrypt(bytes);
    try {
      await Promise.all([this.#flush(), this.#duplex.write(sealed)]);
    } catch (cause) {
      throw this.#fail("write", cause);
    }
  }

  async #encrypt(bytes: Uint8Array): Promise<void> {
    try {
      this.#session.write(bytes);
      await this.#flush();
    } catch (cause) {
      throw this.#fail("write", cause);
    }
  }

  #flush(): Promise<void> {
    const output = this.#session.takeOutput();
    return output === undefined ? DONE : this.#duplex.write(output);
  }

  #assertAlive(operation: string): void {
    if (this.#over !== undefined) throw this.#over.error(operation);
  }

  #fail(operation: string, cause: unknown): unknown {
    if (this.#over !== undefined) return cause;
    const error = connectionFailed(cause, operation, this.info);
    this.#over = { error: () => error };
    // The alert that wolfSSL may have written for the peer.
    this.#flush().catch(() => {});
    this.#release(error);
    return error;
  }

  #release(reason: unknown): void {
    this.#session.destroy();
    this.#duplex.close(reason);
  }
}
