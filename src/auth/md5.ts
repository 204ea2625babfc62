/**
 * MD5, which SubtleCrypto does not have and PostgreSQL's `md5` authentication needs. Good for nothing else.
 *
 * @module
 */

import { AuthenticationError } from "../errors.ts";
import { encodeUtf8 } from "../utf8.ts";
import { assertPasswordGiven } from "./policy.ts";

const BLOCK = 64;

/** RFC 1321 §3.4: 2^32 · |sin(i + 1)|, written out because no engine owes us an exact sine. */
const CONSTANTS = new Uint32Array([
  0xd76aa478,
  0xe8c7b756,
  0x242070db,
  0xc1bdceee,
  0xf57c0faf,
  0x4787c62a,
  0xa8304613,
  0xfd469501,
  0x698098d8,
  0x8b44f7af,
  0xffff5bb1,
  0x895cd7be,
  0x6b901122,
  0xfd987193,
  0xa679438e,
  0x49b40821,
  0xf61e2562,
  0xc040b340,
  0x265e5a51,
  0xe9b6c7aa,
  0xd62f105d,
  0x02441453,
  0xd8a1e681,
  0xe7d3fbc8,
  0x21e1cde6,
  0xc33707d6,
  0xf4d50d87,
  0x455a14ed,
  0xa9e3e905,
  0xfcefa3f8,
  0x676f02d9,
  0x8d2a4c8a,
  0xfffa3942,
  0x8771f681,
  0x6d9d6122,
  0xfde5380c,
  0xa4beea44,
  0x4bdecfa9,
  0xf6bb4b60,
  0xbebfbc70,
  0x289b7ec6,
  0xeaa127fa,
  0xd4ef3085,
  0x04881d05,
  0xd9d4d039,
  0xe6db99e5,
  0x1fa27cf8,
  0xc4ac5665,
  0xf4292244,
  0x432aff97,
  0xab9423a7,
  0xfc93a039,
  0x655b59c3,
  0x8f0ccc92,
  0xffeff47d,
  0x85845dd1,
  0x6fa87e4f,
  0xfe2ce6e0,
  0xa3014314,
  0x4e0811a1,
  0xf7537e82,
  0xbd3af235,
  0x2ad7d2bb,
  0xeb86d391,
]);

/** RFC 1321 §3.4: how far each of the four rounds rotates, in turn. */
const ROTATIONS = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]] as const;

/**
 * The answer to AuthenticationMD5Password: `"md5" + md5hex(md5hex(password + user) + salt)`.
 *
 * Source: PostgreSQL documentation, "Message Flow" (Start-up), AuthenticationMD5Password.
 *
 * @param salt the four bytes of the server's message
 * @throws {AuthenticationError} `AUTH_PASSWORD_MISSING`, `AUTH_MD5_SALT`
 */
export function md5Password(user: string, password: string, salt: Uint8Array): string {
  assertPasswordGiven(password);
  if (salt.length !== 4) {
    throw new AuthenticationError("AUTH_MD5_SALT", `an MD5 salt of ${salt.length} bytes; the protocol says 4`, {
      phase: "authentication",
    });
  }
  const stored = encodeUtf8(hex(md5(encodeUtf8(password + user))));
  const salted = new Uint8Array(stored.length + salt.length);
  salted.set(stored);
  salted.set(salt, stored.length);
  return "md5" + hex(md5(salted));
}

/** The 16 bytes of the MD5 digest (RFC 1321). */
export function md5(message: Uint8Array): Uint8Array {
  const padded = pad(message);
  const state = new Uint32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]);
  const words = new Uint32Array(16);
  const view = new DataView(padded.buffer);
  for (let block = 0; block < padded.length; block += BLOCK) {
    for (let word = 0; word < 16; word++) words[word] = view.getUint32(block + word * 4, true);
    compress(state, words);
  }
  const digest = new Uint8Array(16);
  const out = new DataView(digest.buffer);
  state.forEach((word, index) => out.setUint32(index * 4, word, true));
  return digest;
}

/** RFC 1321 §3.1 and §3.2: a one bit, zeros to 8 bytes short of a whole block, then the length in bits. */
function pad(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const padded = new Uint8Array(Math.ceil((message.length + 9) / BLOCK) * BLOCK);
  padded.set(message);
  padded[message.length] = 0x80;
  new DataView(padded.buffer).setBigUint64(padded.length - 8, BigInt(message.length) * 8n, true);
  return padded;
}

/** RFC 1321 §3.4: one block of sixteen words into the state. */
function compress(state: Uint32Array, words: Uint32Array): void {
  let [a, b, c, d] = state;
  for (let step = 0; step < 64; step++) {
    const round = step >> 4;
    const sum = a + mix(round, b, c, d) + CONSTANTS[step] + words[wordOf(round, step)];
    const rotation = ROTATIONS[round][step & 3];
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << rotation) | ((sum | 0) >>> (32 - rotation)))) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}

/** RFC 1321 §3.4: the functions F, G, H and I. */
function mix(round: number, b: number, c: number, d: number): number {
  switch (round) {
    case 0:
      return (b & c) | (~b & d);
    case 1:
      return (b & d) | (c & ~d);
    case 2:
      return b ^ c ^ d;
    default:
      return c ^ (b | ~d);
  }
}

/** RFC 1321 §3.4: which word of the block a step takes. */
function wordOf(round: number, step: number): number {
  switch (round) {
    case 0:
      return step;
    case 1:
      return (5 * step + 1) & 15;
    case 2:
      return (3 * step + 5) & 15;
    default:
      return (7 * step) & 15;
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
