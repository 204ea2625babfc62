/**
 * One TLS connection without I/O: ciphertext in from a {@linkcode RecordQueue}, ciphertext out as bytes, every call
 * returns at once.
 *
 * @module
 */

import { TlsError } from "../src/errors.ts";
import { Core } from "./core.ts";
import { CoreFailure } from "./failures.ts";
import { MAX_PLAINTEXT, type Sequence } from "./record_layout.ts";
import { concatenate, RecordQueue } from "./records.ts";
import { cipherName, groupName, protocolName } from "./suites.ts";

/** What to negotiate. */
export interface SessionSettings {
  /** 0x0303 or 0x0304. */
  readonly minimumProtocol: number;
  readonly maximumProtocol: number;
  /** Sent as SNI; undefined for an IP address. */
  readonly serverName: string | undefined;
  readonly alpn: readonly string[];
  /** Cipher suites by number, the preferred first. */
  readonly cipherSuites: readonly number[];
  /** Groups by number, the preferred first; a key share is sent for that one. */
  readonly groups: readonly number[];
  /** PEM, the key not encrypted. */
  readonly clientCertificate: { readonly cert: string; readonly key: string } | undefined;
  /** Whether the host is to be asked for keys. */
  readonly keysPrepared: boolean;
  /** A session exported from an earlier connection. */
  readonly resume: Uint8Array | undefined;
}

/** What a session asks while one of its functions runs. */
export interface SessionHost {
  /** Judges the peer's certificates, its own first: 0, or the alert to refuse them with. */
  verifyChain(session: Session, certificates: readonly Uint8Array[]): number;
  /** Writes the public half of a key made ahead for the group: its size, or 0. */
  preparedKey(group: number, target: Uint8Array): number;
  /** Writes the secret agreed ahead with that key and the peer's: its size, or 0. */
  preparedSecret(group: number, peer: Uint8Array, target: Uint8Array): number;
}

/** Protection of one direction: what is needed to work ahead of the core. */
export interface TrafficKeys {
  readonly key: Uint8Array;
  /** 12 bytes in TLS 1.3, of which TLS 1.2 uses 4. */
  readonly iv: Uint8Array;
  /** Of the next record. */
  readonly sequence: Sequence;
}

const SUCCESS = 1;
const CLOSED = 0;
const WANT_READ = -1;

const OPENING = 0;
const SEALING = 1;

/** How many bytes one call of {@linkcode Session.read} gives at most. */
const READ_SIZE = 65536;
/** How many it does not wait for more of. */
const ENOUGH = MAX_PLAINTEXT;
const SCRATCH_SIZE = READ_SIZE;
const MAX_SESSION_SIZE = 16384;
const TRAFFIC_SIZE = 52;

export class Session {
  readonly records = new RecordQueue();
  readonly core: Core;
  readonly #handle: number;
  readonly #scratch: number;
  #output: Uint8Array[] = [];
  #destroyed = false;
  #sound = true;

  private constructor(core: Core, handle: number, output: Uint8Array[]) {
    this.core = core;
    this.#handle = handle;
    this.#output = output;
    this.#scratch = core.allocate(SCRATCH_SIZE);
  }

  /** @throws {TlsError} `TLS_CORE_INVALID`, `TLS_MEMORY`, `TLS_OPTION_INVALID` */
  static async create(module: WebAssembly.Module, settings: SessionSettings, host: SessionHost): Promise<Session> {
    let session: Session | undefined;
    const output: Uint8Array[] = [];
    const current = () => session as Session;
    const core = await Core.acquire(module, {
      receive: (target) => current().records.receive(target),
      send: (bytes) => current().#output.push(bytes),
      verifyChain: (certificates) => host.verifyChain(current(), certificates),
      preparedKey: (group, target) => host.preparedKey(group, target),
      preparedSecret: (group, peer, target) => host.preparedSecret(group, peer, target),
    });
    try {
      return session = new Session(core, open(core, settings), output);
    } catch (error) {
      core.release(false);
      throw error;
    }
  }

  /** Goes on with the handshake; true once it is done, false while ciphertext is missing. */
  handshake(): boolean {
    const result = this.core.exports.session_handshake(this.#handle);
    if (result === WANT_READ) return false;
    if (result !== SUCCESS) throw this.#failure(result);
    return true;
  }

  /** Decrypted bytes; `"closed"` after the peer's close_notify; undefined while ciphertext is missing. */
  read(): Uint8Array | "closed" | undefined {
    const pieces: Uint8Array[] = [];
    let size = 0;
    // Small records together, so that a reader is not woken for each. A full one is given as it is, not copied once more.
    while (size < ENOUGH) {
      const bytes = this.#takeOpened() ?? this.#readCore(size > 0);
      if (bytes === "closed") return bytes;
      if (bytes === undefined) {
        // The core may just have read what lay before a record that was opened.
        if (this.records.hasOpened) continue;
        break;
      }
      pieces.push(bytes);
      size += bytes.length;
    }
    return pieces.length > 1 ? concatenate(pieces) : pieces[0];
  }

  #takeOpened(): Uint8Array | undefined {
    let opened: Uint8Array | undefined;
    let count = 0;
    // Records may be empty (RFC 8446 §5.1), and a reader is given at least a byte.
    for (; !opened?.length && this.records.hasOpened; count++) opened = this.records.takeOpened();
    if (count > 0) this.core.exports.session_advance(this.#handle, OPENING, count);
    return opened?.length ? opened : undefined;
  }

  /** With `something` read already, what went wrong is left to be told by the next call. */
  #readCore(something: boolean): Uint8Array | "closed" | undefined {
    if (something && !this.records.isReadable) return undefined;
    const { exports } = this.core;
    let size = 0;
    let result = 1;
    // As many records as there are, so that a reader of small ones is not woken for each.
    while (size <= READ_SIZE - MAX_PLAINTEXT) {
      result = exports.session_read(this.#handle, this.#scratch + size, READ_SIZE - size);
      if (result <= 0) break;
      size += result;
    }
    if (size > 0) return this.core.view(this.#scratch, size).slice();
    if (result === WANT_READ || something) return undefined;
    if (result === CLOSED) return "closed";
    throw this.#failure(result);
  }

  /** Encrypts bytes into {@linkcode Session.takeOutput}. */
  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += SCRATCH_SIZE) {
      const piece = bytes.subarray(at, at + SCRATCH_SIZE);
      this.core.view(this.#scratch, piece.length).set(piece);
      const result = this.core.exports.session_write(this.#handle, this.#scratch, piece.length);
      if (result !== piece.length) throw this.#failure(result);
    }
  }

  /** Says close_notify. */
  closeWrite(): void {
    this.core.exports.session_close_write(this.#handle);
  }

  /** Ciphertext to send, as one piece. */
  takeOutput(): Uint8Array | undefined {
    const output = this.#output;
    if (output.length === 0) return undefined;
    const [first] = output;
    const joined = output.length === 1 && first ? first : concatenate(output);
    output.length = 0;
    return joined;
  }

  get protocol(): string {
    return protocolName(this.core.exports.session_protocol(this.#handle));
  }

  get cipher(): string {
    return cipherName(this.core.exports.session_cipher(this.#handle));
  }

  get group(): string | undefined {
    return groupName(this.core.exports.session_group(this.#handle));
  }

  get alpn(): string | undefined {
    return this.core.lend([new Uint8Array(4)], (pointer) => {
      const size = this.core.exports.session_alpn(this.#handle, pointer);
      if (size === 0) return undefined;
      return new TextDecoder().decode(this.core.view(readPointer(this.core, pointer), size));
    });
  }

  get resumed(): boolean {
    return this.core.exports.session_resumed(this.#handle) === 1;
  }

  /** The state of record protection where it is by AES-GCM. */
  trafficKeys(direction: "opening" | "sealing"): TrafficKeys | undefined {
    const size = this.core.exports.session_traffic_keys(
      this.#handle,
      direction === "sealing" ? SEALING : OPENING,
      this.#scratch,
    );
    if (size === 0) return undefined;
    const copy = this.core.view(this.#scratch, TRAFFIC_SIZE).slice();
    this.core.view(this.#scratch, TRAFFIC_SIZE).fill(0);
    const view = new DataView(copy.buffer);
    const sequence = { high: view.getUint32(44), low: view.getUint32(48) };
    return { key: copy.subarray(0, size), iv: copy.subarray(32, 44), sequence };
  }

  /** So many records were sealed outside of the core. */
  advanceSealing(count: number): void {
    this.core.exports.session_advance(this.#handle, SEALING, count);
  }

  /** The session as the server offers to resume it; undefined where it does not. */
  exportSession(): Uint8Array | undefined {
    const size = this.core.exports.session_export(this.#handle, this.#scratch, MAX_SESSION_SIZE);
    if (size === 0) return undefined;
    const bytes = this.core.view(this.#scratch, size).slice();
    this.core.view(this.#scratch, size).fill(0);
    return bytes;
  }

  /** Frees what the core holds, keys included. Idempotent. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.core.exports.session_destroy(this.#handle);
    this.core.view(this.#scratch, SCRATCH_SIZE).fill(0);
    this.core.exports.memory_free(this.#scratch);
    this.core.release(this.#sound);
  }

  #failure(code: number): CoreFailure {
    this.#sound = false;
    const alert = this.core.exports.session_alert(this.#handle);
    return new CoreFailure(code, alert < 0 ? undefined : alert & 0xff);
  }
}

function open(core: Core, settings: SessionSettings): number {
  const { exports } = core;
  const handle = exports.session_create(1, settings.minimumProtocol, settings.maximumProtocol);
  if (handle === 0) throw new TlsError("TLS_MEMORY", "the wolfSSL core could not make a session", { phase: "tls" });
  const expect = (what: string, result: number) => {
    if (result === SUCCESS) return;
    exports.session_destroy(handle);
    throw new TlsError("TLS_OPTION_INVALID", `${what} cannot be used (wolfSSL error ${result})`, { phase: "tls" });
  };
  const { clientCertificate, serverName, alpn, cipherSuites, groups, resume } = settings;
  const encoder = new TextEncoder();
  if (clientCertificate !== undefined) {
    const pieces = [encoder.encode(clientCertificate.cert), encoder.encode(clientCertificate.key)] as const;
    expect(
      "clientCertificate",
      core.lend(pieces, (cert, key) => {
        const [{ length: certSize }, { length: keySize }] = pieces;
        const result = exports.session_set_client_certificate(handle, cert, certSize, key, keySize);
        core.view(key, keySize).fill(0);
        return result;
      }),
    );
  }
  expect("the session", exports.session_open(handle));
  const set = (what: string, bytes: Uint8Array, use: (address: number, size: number) => number) =>
    expect(what, core.lend([bytes], (address) => use(address, bytes.length)));
  if (serverName !== undefined) {
    set("serverName", encoder.encode(serverName), (at, size) => exports.session_set_server_name(handle, at, size));
  }
  if (alpn.length > 0) {
    set("alpn", encoder.encode(alpn.join(",")), (at, size) => exports.session_set_alpn(handle, at, size));
  }
  const suites = Uint8Array.from(cipherSuites.flatMap((suite) => [suite >> 8, suite & 0xff]));
  set("cipherSuites", suites, (at, size) => exports.session_set_ciphers(handle, at, size));
  // Setting the groups makes the first one's key.
  if (settings.keysPrepared) exports.session_set_keys_prepared(handle);
  const groupBytes = new Uint8Array(new Int32Array(groups).buffer);
  set("groups", groupBytes, (at) => exports.session_set_groups(handle, at, groups.length));
  // A session that the core does not take is no harm: the handshake is then a full one.
  if (resume !== undefined) core.lend([resume], (at) => exports.session_import(handle, at, resume.length));
  return handle;
}

function readPointer(core: Core, address: number): number {
  const bytes = core.view(address, 4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
}
