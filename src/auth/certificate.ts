/**
 * As much of X.509 (RFC 5280) and DER (X.690) as it takes to learn how a certificate was signed. It verifies nothing:
 * TLS did that.
 *
 * @module
 */

import { AuthenticationError } from "../errors.ts";

/** How a certificate was signed. */
export interface SignatureAlgorithm {
  /** The object identifier in dotted form, such as `1.2.840.10045.4.3.2`. */
  readonly algorithm: string;
  /** For RSASSA-PSS, the identifier of the hash that its parameters name. */
  readonly digest: string | undefined;
}

/** The most bytes of a certificate that are looked at; real ones have one or two thousand, post-quantum ones ten. */
const MAX_CERTIFICATE = 1 << 20;

const RSASSA_PSS = "1.2.840.113549.1.1.10";
const SHA_1 = "1.3.14.3.2.26";

/** The identifier bytes of the elements that are met (X.690 §8.1.2). */
const Tag = {
  BitString: 0x03,
  ObjectIdentifier: 0x06,
  Sequence: 0x30,
  /** `[0]`, constructed: the hash among the parameters of RSASSA-PSS. */
  Context0: 0xa0,
} as const;

/**
 * Reads `signatureAlgorithm` of a certificate.
 *
 * @throws {AuthenticationError} `AUTH_CHANNEL_BINDING_CERTIFICATE`: the bytes are not a certificate in DER
 */
export function readSignatureAlgorithm(certificateDer: Uint8Array): SignatureAlgorithm {
  if (certificateDer.length > MAX_CERTIFICATE) throw malformed(`it has ${certificateDer.length} bytes`);
  const outer = new DerReader(certificateDer);
  const certificate = outer.enter(Tag.Sequence);
  outer.end();
  certificate.enter(Tag.Sequence); // tbsCertificate
  const identifier = certificate.enter(Tag.Sequence);
  certificate.enter(Tag.BitString);
  certificate.end();

  const algorithm = identifier.objectIdentifier();
  return { algorithm, digest: algorithm === RSASSA_PSS ? readPssDigest(identifier) : undefined };
}

/** RFC 4055 §3.1: RSASSA-PSS-params, whose first field is `hashAlgorithm [0] DEFAULT sha1`. */
function readPssDigest(identifier: DerReader): string {
  const parameters = identifier.enter(Tag.Sequence);
  if (parameters.nextTag !== Tag.Context0) return SHA_1; // the default
  return parameters.enter(Tag.Context0).enter(Tag.Sequence).objectIdentifier();
}

/** Reads the elements within one stretch of DER, in order. */
class DerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Undefined at the end. */
  get nextTag(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** Steps over the next element, which must have this tag, and gives a reader of its contents. */
  enter(tag: number): DerReader {
    if (this.nextTag !== tag) throw malformed("an element of another kind was expected");
    this.#at++;
    const length = this.#length();
    if (length > this.#bytes.length - this.#at) throw malformed("it is cut off");
    const contents = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return new DerReader(contents);
  }

  end(): void {
    if (this.#at < this.#bytes.length) throw malformed("something follows where it should end");
  }

  /** X.690 §8.19: base 128, the high bit of a byte says that the number goes on. */
  objectIdentifier(): string {
    const bytes = this.enter(Tag.ObjectIdentifier).#bytes;
    const numbers: number[] = [];
    let number = 0;
    for (const [index, byte] of bytes.entries()) {
      number = number * 128 + (byte & 0x7f);
      if (number > Number.MAX_SAFE_INTEGER / 128) throw malformed("an object identifier is absurdly large");
      if (byte < 0x80) {
        numbers.push(number);
        number = 0;
      } else if (index === bytes.length - 1) throw malformed("an object identifier is cut off");
    }
    const [first, ...others] = numbers;
    if (first === undefined) throw malformed("an object identifier is empty");
    const root = Math.min(Math.trunc(first / 40), 2); // the first two numbers share one
    return [root, first - root * 40, ...others].join(".");
  }

  /** X.690 §10.1: definite, and in as few bytes as possible. */
  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 3) throw malformed("a length has no legal form");
    let length = 0;
    for (let index = 0; index < count; index++) length = length * 256 + this.#byte();
    if (length < 0x80 || length < 256 ** (count - 1)) throw malformed("a length is longer than it need be");
    return length;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw malformed("it is cut off");
    return byte;
  }
}

function malformed(problem: string): AuthenticationError {
  return new AuthenticationError(
    "AUTH_CHANNEL_BINDING_CERTIFICATE",
    `channel binding is not possible: the server's certificate is not well-formed DER (${problem})`,
    { phase: "authentication" },
  );
}
