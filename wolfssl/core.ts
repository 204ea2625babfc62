/**
 * The WebAssembly core, typed: one instance, its imports and exports, and bytes in and out of its memory.
 *
 * @module
 */

import { TlsError } from "../src/errors.ts";

/** What the core asks of its host while one of its functions runs; see `core/host.h`. Views are only good for the call. */
export interface CoreHost {
  /** Fills `target` with ciphertext: how much of it, 0 where there is none yet, -1 at the peer's end. */
  receive(target: Uint8Array): number;
  /** Takes ciphertext to send; the bytes are the host's to keep. */
  send(bytes: Uint8Array): void;
  /** Judges the peer's certificates, its own first: 0, or the alert to refuse them with. */
  verifyChain(certificates: readonly Uint8Array[]): number;
  /** Writes the public half of a key made ahead for the group: its size, or 0. */
  preparedKey(group: number, target: Uint8Array): number;
  /** Writes the secret agreed ahead with that key and the peer's: its size, or 0. */
  preparedSecret(group: number, peer: Uint8Array, target: Uint8Array): number;
}

/** The core's functions; pointers and handles are numbers. See `core/*.c`. */
interface CoreExports {
  readonly memory: WebAssembly.Memory;
  core_init(): number;
  memory_allocate(size: number): number;
  memory_free(address: number): void;
  session_create(id: number, minimum: number, maximum: number): number;
  session_set_client_certificate(s: number, chain: number, chainSize: number, key: number, keySize: number): number;
  session_open(s: number): number;
  session_set_server_name(s: number, name: number, size: number): number;
  session_set_alpn(s: number, names: number, size: number): number;
  session_set_ciphers(s: number, suites: number, size: number): number;
  session_set_groups(s: number, groups: number, count: number): number;
  session_set_keys_prepared(s: number): void;
  session_handshake(s: number): number;
  session_read(s: number, buffer: number, size: number): number;
  session_write(s: number, bytes: number, size: number): number;
  session_close_write(s: number): void;
  session_destroy(s: number): void;
  session_protocol(s: number): number;
  session_cipher(s: number): number;
  session_group(s: number): number;
  session_alpn(s: number, name: number): number;
  session_resumed(s: number): number;
  session_alert(s: number): number;
  session_traffic_keys(s: number, sealing: number, output: number): number;
  session_advance(s: number, sealing: number, count: number): void;
  session_export(s: number, output: number, capacity: number): number;
  session_import(s: number, bytes: number, size: number): number;
  signature_verify(
    kind: number,
    hash: number,
    salt: number,
    key: number,
    keySize: number,
    message: number,
    messageSize: number,
    signature: number,
    signatureSize: number,
  ): number;
}

/** The largest public key that the host makes ahead: two coordinates of P-384. */
const MAX_PUBLIC_KEY = 96;
const MAX_SECRET = 48;

/** How many instances that a connection has done with are kept for the next ones. */
const KEPT_INSTANCES = 2;
/** An instance whose memory grew beyond this is not kept. */
const KEPT_MEMORY = 2 * 1024 * 1024;

// A new instance costs as much as a fifth of a handshake.
const kept = new WeakMap<WebAssembly.Module, Core[]>();

/**
 * One instance of the core. It serves one connection at a time, so that no connection ever shares memory with another
 * that is open, and what it grew to is freed with it.
 */
export class Core {
  readonly exports: CoreExports;
  readonly #module: WebAssembly.Module;
  #host: CoreHost | undefined;
  #bytes: Uint8Array;

  private constructor(exports: CoreExports, module: WebAssembly.Module) {
    this.exports = exports;
    this.#module = module;
    this.#bytes = new Uint8Array(exports.memory.buffer);
  }

  /**
   * An instance for one connection.
   *
   * @throws {TlsError} `TLS_CORE_INVALID` where the module is not this package's core
   */
  static async acquire(module: WebAssembly.Module, host: CoreHost): Promise<Core> {
    const core = kept.get(module)?.pop() ?? await Core.#instantiate(module);
    core.#host = host;
    return core;
  }

  static async #instantiate(module: WebAssembly.Module): Promise<Core> {
    try {
      // The imports are only called once there is a core.
      let core: Core | undefined = undefined;
      const current = () => core as unknown as Core;
      const imports = hostImports(() => current().#host as CoreHost, (address, size) => current().view(address, size));
      const instance = await WebAssembly.instantiate(module, { host: imports });
      const exports = instance.exports as unknown as CoreExports & { _initialize?(): void };
      exports._initialize?.();
      const created = core = new Core(exports, module);
      const result = exports.core_init();
      if (result !== 0) throw new Error(`its initialisation failed with ${result}`);
      return created;
    } catch (cause) {
      throw new TlsError(
        "TLS_CORE_INVALID",
        "the WebAssembly module is not the core of this version of @pgduplex/wolfssl: install it again",
        { phase: "tls", cause },
      );
    }
  }

  /** Gives the instance back; `sound` where nothing went wrong in it, so that another connection may have it. */
  release(sound: boolean): void {
    this.#host = undefined;
    if (!sound || this.exports.memory.buffer.byteLength > KEPT_MEMORY) return;
    const others = kept.get(this.#module) ?? [];
    if (others.length < KEPT_INSTANCES) kept.set(this.#module, [...others, this]);
  }

  /** A view of the core's memory, good until its next call. */
  view(address: number, size: number): Uint8Array {
    // Growing the memory detaches the buffer.
    if (this.#bytes.length === 0) this.#bytes = new Uint8Array(this.exports.memory.buffer);
    return this.#bytes.subarray(address, address + size);
  }

  allocate(size: number): number {
    const address = this.exports.memory_allocate(size);
    if (address === 0) throw new TlsError("TLS_MEMORY", `the wolfSSL core has no ${size} bytes left`, { phase: "tls" });
    return address;
  }

  /** Runs `use` with copies of the bytes in the core's memory. */
  lend<T>(pieces: readonly Uint8Array[], use: (...addresses: number[]) => T): T {
    const addresses: number[] = [];
    try {
      for (const bytes of pieces) {
        const address = this.allocate(Math.max(bytes.length, 1));
        addresses.push(address);
        this.view(address, bytes.length).set(bytes);
      }
      return use(...addresses);
    } finally {
      for (const address of addresses) this.exports.memory_free(address);
    }
  }
}

type View = (address: number, size: number) => Uint8Array;

/** The import object of `core/host.h`. `host` gives whose connection it is at the time. */
function hostImports(host: () => CoreHost, view: View): Record<string, WebAssembly.ExportValue> {
  return {
    host_random: (address: number, size: number) => fillRandom(view(address, size)),
    host_now: () => Date.now(),
    host_receive: (_: number, address: number, size: number) => host().receive(view(address, size)),
    host_send: (_: number, address: number, size: number) => host().send(view(address, size).slice()),
    host_verify_chain: (_: number, address: number, count: number) => {
      const pairs = view(address, 8 * count);
      const data = new DataView(pairs.buffer, pairs.byteOffset, pairs.byteLength);
      const certificates = Array.from(
        { length: count },
        (_, i) => view(data.getUint32(8 * i, true), data.getUint32(8 * i + 4, true)).slice(),
      );
      return host().verifyChain(certificates);
    },
    host_prepared_key: (_: number, group: number, target: number) =>
      host().preparedKey(group, view(target, MAX_PUBLIC_KEY)),
    host_prepared_secret: (_: number, group: number, peer: number, size: number, target: number) =>
      host().preparedSecret(group, view(peer, size), view(target, MAX_SECRET)),
  };
}

/** getRandomValues gives at most 64 KiB a call. */
function fillRandom(target: Uint8Array): void {
  for (let at = 0; at < target.length; at += 65536) {
    crypto.getRandomValues(target.subarray(at, at + 65536) as Uint8Array<ArrayBuffer>);
  }
}
