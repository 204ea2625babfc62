/**
 * Reading DER (X.690): definite, minimal lengths; anything else is an error, not a guess.
 *
 * @module
 */

/** The bytes are not the DER that they should be. */
export class DerError extends Error {
  override readonly name = "DerError";
}

/** Universal tags, and the ones of context-specific fields by number. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
  primitive: (number: number) => 0x80 | number,
  constructed: (number: number) => 0xa0 | number,
} as const;

/** One value: its tag, its content, and the whole of it with tag and length. */
export interface DerValue {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly whole: Uint8Array;
}

/** Walks over the values in a piece of DER. */
export class DerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The next value, which must have the tag where one is given. */
  next(tag?: number): DerValue {
    const start = this.#at;
    const found = this.#byte();
    if ((found & 0x1f) === 0x1f) throw new DerError("a tag of more than one byte");
    if (tag !== undefined && found !== tag) {
      throw new DerError(`tag 0x${found.toString(16)} where 0x${tag.toString(16)} was due`);
    }
    const length = this.#length();
    const from = this.#at;
    if (length > this.#bytes.length - from) throw new DerError("a value is cut off");
    this.#at = from + length;
    return { tag: found, content: this.#bytes.subarray(from, this.#at), whole: this.#bytes.subarray(start, this.#at) };
  }

  /** The next value if it has the tag. */
  optional(tag: number): DerValue | undefined {
    return this.#bytes[this.#at] === tag ? this.next() : undefined;
  }

  /** A reader over the content of the next value. */
  inside(tag: number): DerReader {
    return new DerReader(this.next(tag).content);
  }

  /** There must be nothing left. */
  end(): void {
    if (!this.done) throw new DerError("there are bytes after the last value");
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new DerError("a value is cut off");
    this.#at++;
    return byte;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new DerError("an indefinite or absurd length");
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + this.#byte();
    if (length < 0x80 || length < 256 ** (count - 1)) throw new DerError("a length that is not minimal");
    return length;
  }
}

/** The one value that the bytes are. */
export function readWhole(bytes: Uint8Array, tag?: number): DerValue {
  const reader = new DerReader(bytes);
  const value = reader.next(tag);
  reader.end();
  return value;
}

/** A reader over the content of the one SEQUENCE that the bytes are. */
export function readSequence(bytes: Uint8Array): DerReader {
  return new DerReader(readWhole(bytes, TAG.sequence).content);
}

/** `1.2.840.113549.1.1.1`. */
export function readOid({ content }: DerValue): string {
  if (content.length === 0) throw new DerError("an empty object identifier");
  const arcs: number[] = [];
  let arc = 0;
  for (const [index, byte] of content.entries()) {
    if (arc === 0 && byte === 0x80) throw new DerError("an object identifier that is not minimal");
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER) throw new DerError("an absurd object identifier");
    if (byte & 0x80) {
      if (index === content.length - 1) throw new DerError("an object identifier is cut off");
      continue;
    }
    if (arcs.length === 0) {
      const root = Math.min(Math.floor(arc / 40), 2);
      arcs.push(root, arc - root * 40);
    } else {
      arcs.push(arc);
    }
    arc = 0;
  }
  return arcs.join(".");
}

export function readBoolean({ content }: DerValue): boolean {
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw new DerError("a malformed BOOLEAN");
  return content[0] === 0xff;
}

/** The bytes of an INTEGER, checked to be minimal. */
export function integerBytes({ content }: DerValue): Uint8Array {
  const [first, second] = content;
  if (first === undefined) throw new DerError("an empty INTEGER");
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw new DerError("an INTEGER that is not minimal");
  }
  return content;
}

/** An INTEGER from 0 to 2^31-1. */
export function readSmallInteger(value: DerValue): number {
  const bytes = integerBytes(value);
  if (bytes.length > 4 || (bytes[0] ?? 0) >= 0x80) throw new DerError("an INTEGER that is out of range");
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** A BIT STRING of whole bytes. */
export function readBitBytes({ content }: DerValue): Uint8Array {
  if (content[0] !== 0) throw new DerError("a BIT STRING that is not of whole bytes");
  return content.subarray(1);
}

/** The set bits of a BIT STRING of named bits, by number. */
export function readNamedBits({ content }: DerValue): ReadonlySet<number> {
  const unused = content[0];
  if (unused === undefined || unused > 7 || (content.length === 1 && unused !== 0)) {
    throw new DerError("a malformed BIT STRING");
  }
  const bits = new Set<number>();
  for (let i = 0; i < (content.length - 1) * 8 - unused; i++) {
    if (((content[1 + (i >> 3)] ?? 0) >> (7 - (i & 7))) & 1) bits.add(i);
  }
  return bits;
}

/** UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 has it, in milliseconds since 1970. */
export function readTime({ tag, content }: DerValue): number {
  const text = latin1(content);
  const pattern = tag === TAG.utcTime
    ? /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/
    : tag === TAG.generalizedTime
    ? /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/
    : undefined;
  const [, year, month, day, hour, minute, second] = pattern?.exec(text) ?? [];
  if (year === undefined) throw new DerError("a malformed time");
  const full = tag === TAG.utcTime ? Number(year) + (Number(year) >= 50 ? 1900 : 2000) : Number(year);
  const date = new Date(0);
  date.setUTCFullYear(full, Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day) || Number(hour) > 23) {
    throw new DerError("a time that does not exist");
  }
  return date.getTime();
}

/** Bytes as characters, one to one. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
