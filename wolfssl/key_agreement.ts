/**
 * The key agreement by SubtleCrypto, worked out ahead of the core: a key pair before the ClientHello, and the secret
 * as soon as the server's share is seen in its ServerHello, which is not encrypted.
 *
 * @module
 */

import { CoreFailure } from "./failures.ts";
import { concatenate, type QueuedRecord, RECORD_HEADER, RECORD_TYPE } from "./records.ts";
import { GROUPS } from "./suites.ts";
import { sameBytes } from "./x509/der.ts";

/** How SubtleCrypto knows a group, and how large its secrets are. */
interface Curve {
  readonly algorithm: { readonly name: string; readonly namedCurve?: string };
  readonly secretBits: number;
  /** Before the coordinates on the wire, and absent in the core: 1 for uncompressed points. */
  readonly prefix: number;
}

const CURVES: ReadonlyMap<number, Curve> = new Map([
  [GROUPS.X25519, { algorithm: { name: "X25519" }, secretBits: 256, prefix: 0 }],
  [GROUPS["P-256"], { algorithm: { name: "ECDH", namedCurve: "P-256" }, secretBits: 256, prefix: 1 }],
  [GROUPS["P-384"], { algorithm: { name: "ECDH", namedCurve: "P-384" }, secretBits: 384, prefix: 1 }],
]);

interface KeyPair {
  readonly group: number;
  readonly curve: Curve;
  readonly privateKey: CryptoKey;
  /** As on the wire. */
  readonly share: Uint8Array;
}

/** One connection's key agreement. */
export class KeyAgreement {
  readonly #agrees: (group: number) => boolean;
  #pair: KeyPair | undefined;
  #given = false;
  #agreed: { readonly group: number; readonly peer: Uint8Array; readonly secret: Uint8Array } | undefined;
  #seen: Uint8Array[] = [];
  #done = false;

  /** `agrees` tells which groups are SubtleCrypto's; the others are left to the core. */
  constructor(agrees: (group: number) => boolean) {
    this.#agrees = agrees;
  }

  /** Makes the key pair for the share that the ClientHello will have; false where that is the core's, or cannot be done. */
  async prepare(group: number): Promise<boolean> {
    const curve = this.#agrees(group) ? CURVES.get(group) : undefined;
    if (curve === undefined) return false;
    try {
      const pair = await crypto.subtle.generateKey(curve.algorithm as EcKeyGenParams, false, ["deriveBits"]);
      const { privateKey, publicKey } = pair as CryptoKeyPair;
      const share = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
      this.#pair = { group, curve, privateKey, share };
      this.#given = false;
      return true;
    } catch {
      return false;
    }
  }

  /** Looks for the server's share in a record that has just been queued, and holds the record until it is used. */
  watch(record: QueuedRecord): void {
    if (this.#done) return;
    if (record.bytes[0] !== RECORD_TYPE.handshake) return;
    this.#seen.push(record.bytes.subarray(RECORD_HEADER));
    const seen = concatenate(this.#seen);
    const hello = readServerHello(seen);
    if (hello === "incomplete" && seen.length < MAX_SERVER_HELLO) return;
    this.#seen = [];
    this.#done = hello === undefined || hello === "incomplete" || hello.kind !== "retry";
    if (hello === undefined || hello === "incomplete") return;
    const work = hello.kind === "retry" ? this.#again(hello.group) : this.#agree(hello.group, hello.share);
    record.hold = work.finally(() => record.hold = undefined);
  }

  /** Writes the public key for the core: its size, or 0. Once: TLS 1.2 makes its key again after the server's. */
  preparedKey(group: number, target: Uint8Array): number {
    if (this.#given || this.#pair?.group !== group) return 0;
    this.#given = true;
    const point = this.#pair.share.subarray(this.#pair.curve.prefix);
    target.set(point);
    return point.length;
  }

  /** Writes the secret agreed with the peer's public key: its size, or 0. */
  preparedSecret(group: number, peer: Uint8Array, target: Uint8Array): number {
    const agreed = this.#agreed;
    if (agreed?.group !== group || !sameBytes(agreed.peer, peer)) return 0;
    target.set(agreed.secret);
    this.#agreed = undefined;
    this.#pair = undefined;
    const { length } = agreed.secret;
    agreed.secret.fill(0);
    return length;
  }

  /** A HelloRetryRequest: another key pair, or the core's own where SubtleCrypto has no such group. */
  async #again(group: number): Promise<void> {
    if (!await this.prepare(group)) this.#pair = undefined;
  }

  async #agree(group: number, share: Uint8Array): Promise<void> {
    const pair = this.#pair;
    if (pair?.group !== group) return;
    const { algorithm, secretBits, prefix } = pair.curve;
    try {
      const peer = await crypto.subtle.importKey(
        "raw",
        share as BufferSource,
        algorithm as EcKeyImportParams,
        false,
        [],
      );
      const bits = await crypto.subtle.deriveBits(
        { name: algorithm.name, public: peer } as EcdhKeyDeriveParams,
        pair.privateKey,
        secretBits,
      );
      const secret = new Uint8Array(bits);
      // RFC 8446 §7.4.2: a share of small order, and whoever sent it, is refused.
      if (secret.every((byte) => byte === 0)) throw new CoreFailure(-352, undefined);
      this.#agreed = { group, peer: share.subarray(prefix), secret };
    } catch {
      // The core then finds no secret and refuses the share.
    }
  }
}

type Hello = { readonly kind: "hello"; readonly group: number; readonly share: Uint8Array } | {
  readonly kind: "retry";
  readonly group: number;
};

const SERVER_HELLO = 2;
/** Far more than any has. */
const MAX_SERVER_HELLO = 65536;
const KEY_SHARE = 51;
/** RFC 8446 §4.1.3: the random of a HelloRetryRequest, SHA-256 of "HelloRetryRequest", its first bytes. */
const RETRY_RANDOM = Uint8Array.of(0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11);

/** The key share of a ServerHello (RFC 8446 §4.1.3, §4.2.8); undefined where there is none. */
function readServerHello(bytes: Uint8Array): Hello | "incomplete" | undefined {
  if (bytes.length < 4) return "incomplete";
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[0] !== SERVER_HELLO) return undefined;
  const end = 4 + (data.getUint32(0) & 0xffffff);
  if (bytes.length < end) return "incomplete";
  try {
    const isRetry = sameBytes(bytes.subarray(6, 6 + RETRY_RANDOM.length), RETRY_RANDOM);
    // type and length, version, random, session id, cipher suite, compression
    let at = 4 + 2 + 32;
    at += 1 + data.getUint8(at) + 2 + 1;
    const extensionsEnd = at + 2 + data.getUint16(at);
    for (at += 2; at < extensionsEnd; at += 4 + data.getUint16(at + 2)) {
      if (data.getUint16(at) !== KEY_SHARE) continue;
      const group = data.getUint16(at + 4);
      if (isRetry) return { kind: "retry", group };
      const size = data.getUint16(at + 6);
      return { kind: "hello", group, share: bytes.slice(at + 8, at + 8 + size) };
    }
  } catch {
    // Malformed: the core says so.
  }
  return undefined;
}
