/**
 * The client's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), without any I/O.
 *
 * @module
 */

import { encodeBase64 } from "../base64.ts";
import type { AuthenticationError } from "../errors.ts";
import { encodeUtf8 } from "../utf8.ts";
import { loadPart } from "../part.ts";
import { failure } from "./failure.ts";
import { hmac, scramKeys } from "./scram_keys.ts";
import { decodeServerMessage, isPrintable, parseServerFinal, parseServerFirst } from "./scram_message.ts";

/**
 * What the exchange says of the TLS connection that it runs in (RFC 5802 §6):
 * `none`, the client cannot bind to it or does not want to; `supported-but-unused`, it could, but believes that the
 * server cannot (a server that can refuses this, and so uncovers whoever took its offer away); `tls-server-end-point`,
 * bound to the server's certificate, of which `data` is the hash.
 */
export type ScramBinding =
  | { readonly kind: "none" }
  | { readonly kind: "supported-but-unused" }
  | { readonly kind: "tls-server-end-point"; readonly data: Uint8Array };

/** The names under which servers offer SCRAM. */
export type ScramMechanism = "SCRAM-SHA-256" | "SCRAM-SHA-256-PLUS";

/** What a {@linkcode ScramClient} needs to know. */
export interface ScramOptions {
  /** An empty one is none, as in libpq. */
  readonly password: string | undefined;
  /** Default: `none`. */
  readonly binding?: ScramBinding | undefined;
  /** The most iterations that are done for a server; 0 for no limit of ours. Default: {@linkcode MAX_SCRAM_ITERATIONS}. */
  readonly maxIterations?: number | undefined;
  /** Default: empty, as libpq, since PostgreSQL takes the user of the StartupMessage and ignores this one. */
  readonly username?: string | undefined;
  /** Printable ASCII without a comma, never used before. Default: 18 random bytes as base64. For tests alone. */
  readonly nonce?: string | undefined;
}

/**
 * The most PBKDF2 iterations that a server may ask for by default: a hostile one could keep the client computing
 * (RFC 5802 §9), and Cloudflare Workers refuse more. PostgreSQL's own default is 4096.
 */
export const MAX_SCRAM_ITERATIONS = 100_000;

const NONCE_BYTES = 18;

/** RFC 5802 §7, gs2-header, without an authorization identity. */
const GS2_HEADER: Readonly<Record<ScramBinding["kind"], string>> = {
  "none": "n,,",
  "supported-but-unused": "y,,",
  "tls-server-end-point": "p=tls-server-end-point,,",
};

/** The mechanism that goes with a binding. */
export function mechanismOf({ kind }: ScramBinding): ScramMechanism {
  return kind === "tls-server-end-point" ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256";
}

/**
 * One SCRAM exchange: `clientFirst` into SASLInitialResponse, `clientFinal` of what AuthenticationSASLContinue brings
 * into SASLResponse, `verifyServerFinal` of what AuthenticationSASLFinal brings. AuthenticationOk is to be believed only
 * once `verified` is true: before that, the server has not shown that it knows the password.
 *
 * Every failure is an {@linkcode AuthenticationError}, ends the exchange, and quotes no secret.
 *
 * @example
 * ```ts
 * const scram = new ScramClient({ password });
 * await send(saslInitialResponse(scram.mechanism, scram.clientFirst()));
 * await send(saslResponse(await scram.clientFinal(await receiveSaslContinue())));
 * scram.verifyServerFinal(await receiveSaslFinal());
 * ```
 */
export class ScramClient {
  /** The mechanism to name in SASLInitialResponse. */
  readonly mechanism: ScramMechanism;
  readonly #gs2Header: string;
  readonly #bindingData: Uint8Array;
  readonly #nonce: string;
  readonly #clientFirstBare: string;
  readonly #maxIterations: number;
  /** The message that may come next; after a failure there is none. */
  #turn = "client-first-message";
  #password: string;
  #serverSignature = new Uint8Array();
  #verified = false;

  /** @throws {AuthenticationError} `AUTH_PASSWORD_MISSING`; `AUTH_SCRAM_NONCE`: the nonce given is not printable */
  constructor(options: ScramOptions) {
    const { password, binding = { kind: "none" }, username = "", maxIterations = MAX_SCRAM_ITERATIONS } = options;
    if (!password) throw passwordMissing(password);
    this.mechanism = mechanismOf(binding);
    this.#gs2Header = GS2_HEADER[binding.kind];
    this.#bindingData = binding.kind === "tls-server-end-point" ? binding.data : new Uint8Array();
    this.#nonce = options.nonce ?? encodeBase64(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
    if (!isPrintable(this.#nonce)) {
      throw failure("AUTH_SCRAM_NONCE", "a SCRAM nonce has to be printable ASCII without commas");
    }
    this.#clientFirstBare = `n=${escapeName(username)},r=${this.#nonce}`;
    this.#maxIterations = maxIterations;
    this.#password = password;
  }

  /** Whether the server has proved that it knows the password. */
  get verified(): boolean {
    return this.#verified;
  }

  /** client-first-message: nothing in it depends on the password or on the server. */
  clientFirst(): Uint8Array<ArrayBuffer> {
    this.#take("client-first-message");
    this.#turn = "server-first-message";
    return encodeUtf8(this.#gs2Header + this.#clientFirstBare);
  }

  /**
   * client-final-message, the answer to the server-first-message. The password is forgotten.
   *
   * @throws {AuthenticationError} `AUTH_SCRAM_MALFORMED`, `AUTH_SCRAM_NONCE`, `AUTH_SCRAM_ITERATIONS`,
   * `AUTH_SCRAM_STATE`
   */
  async clientFinal(serverFirst: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    this.#take("server-first-message");
    const password = this.#password;
    this.#password = "";
    const serverFirstText = decodeServerMessage(serverFirst);
    const { nonce, salt, iterations } = parseServerFirst(serverFirstText);
    this.#assertNonceExtended(nonce);
    this.#assertIterations(iterations);
    const keys = await scramKeys(await prepare(password), salt, iterations);

    const header = encodeUtf8(this.#gs2Header);
    const withoutProof = `c=${encodeBase64(concatenate(header, this.#bindingData))},r=${nonce}`;
    const authMessage = encodeUtf8(`${this.#clientFirstBare},${serverFirstText},${withoutProof}`);
    const [clientSignature, serverSignature] = await Promise.all([
      hmac(keys.storedKey, authMessage),
      hmac(keys.serverKey, authMessage),
    ]);
    const proof = clientSignature.map((byte, index) => byte ^ keys.clientKey[index]);
    this.#serverSignature = serverSignature;
    this.#turn = "server-final-message";
    return encodeUtf8(`${withoutProof},p=${encodeBase64(proof)}`);
  }

  /**
   * Checks the server-final-message, and so that the server knows the password too.
   *
   * @throws {AuthenticationError} `AUTH_SCRAM_SERVER_SIGNATURE`: it does not; `AUTH_SCRAM_SERVER_ERROR`: it says what
   * it did not like; `AUTH_SCRAM_MALFORMED`, `AUTH_SCRAM_STATE`
   */
  verifyServerFinal(serverFinal: Uint8Array): void {
    this.#take("server-final-message");
    const final = parseServerFinal(decodeServerMessage(serverFinal));
    if ("error" in final) {
      throw failure("AUTH_SCRAM_SERVER_ERROR", `the server ended the SCRAM exchange: ${JSON.stringify(final.error)}`);
    }
    if (!equalInConstantTime(final.signature, this.#serverSignature)) {
      throw failure(
        "AUTH_SCRAM_SERVER_SIGNATURE",
        "the server's SCRAM signature is wrong: it does not know the password, so it may not be the server it seems to be",
      );
    }
    this.#verified = true;
  }

  /** Nothing comes after this message, unless all goes well. */
  #take(message: string): void {
    if (this.#turn !== message) throw failure("AUTH_SCRAM_STATE", `a SCRAM ${message} out of turn`);
    this.#turn = "";
  }

  /** RFC 5802 §5.1: the server's nonce is ours and at least one character of its own. */
  #assertNonceExtended(nonce: string): void {
    if (nonce.startsWith(this.#nonce) && nonce.length > this.#nonce.length) return;
    throw failure(
      "AUTH_SCRAM_NONCE",
      "the server's SCRAM nonce does not extend the one that was sent: the message is not an answer to ours",
    );
  }

  #assertIterations(iterations: number): void {
    if (this.#maxIterations === 0 || iterations <= this.#maxIterations) return;
    throw failure(
      "AUTH_SCRAM_ITERATIONS",
      `the server asks for ${iterations} SCRAM iterations, and the limit is ${this.#maxIterations}; raise the limit if ` +
        "the server is trusted (Cloudflare Workers cannot do more than 100000), or set the password again under a " +
        "lower scram_iterations",
    );
  }
}

/** SASLprep, loaded only where ASCII alone does not make it the identity. */
async function prepare(password: string): Promise<string> {
  if (/^[\x20-\x7e]*$/.test(password)) return password;
  const { saslprep } = await loadPart(async () => await import("./saslprep.ts"));
  return saslprep(password);
}

/** RFC 5802 §5.1: `=` and `,` cannot stand in a name as they are. */
function escapeName(name: string): string {
  return name.replaceAll("=", "=3D").replaceAll(",", "=2C");
}

function concatenate(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}

/** Takes as long wherever the first difference is. */
function equalInConstantTime(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let index = 0; index < one.length; index++) difference |= one[index] ^ other[index];
  return difference === 0;
}

/** In node-postgres's words. */
function passwordMissing(password: string | undefined): AuthenticationError {
  const what = password === "" ? "a non-empty string" : "a string";
  return failure("AUTH_PASSWORD_MISSING", `SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be ${what}`, {
    verbatim: true,
    hint: "Set password, PGPASSWORD, or a line of a password file.",
  });
}
