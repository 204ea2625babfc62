/**
 * Sessions that servers offered to resume (RFC 8446 §2.2, RFC 5077), kept for the next connection.
 *
 * @module
 */

/** A session that may be resumed, and what its handshake had verified. */
export interface KeptSession {
  readonly bytes: Uint8Array;
  /** The server's end-entity certificate, DER: a resumed handshake does not send it again. */
  readonly certificate: Uint8Array;
  /** When the certificate, and with it what was verified, expires; milliseconds since 1970. */
  readonly expires: number;
}

/** Least recently used first out. Sessions are used once (RFC 8446 §C.4). */
export class SessionCache {
  readonly #capacity: number;
  readonly #sessions = new Map<string, KeptSession>();

  constructor(capacity = 100) {
    this.#capacity = capacity;
  }

  /** The session kept under this key, which is gone from then on. */
  take(key: string, now: number): KeptSession | undefined {
    const kept = this.#sessions.get(key);
    this.#sessions.delete(key);
    return kept !== undefined && now < kept.expires ? kept : undefined;
  }

  keep(key: string, session: KeptSession): void {
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    const oldest = this.#sessions.keys().next();
    if (this.#sessions.size > this.#capacity && !oldest.done) this.#sessions.delete(oldest.value);
  }
}
