import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { md5, md5Password } from "../../src/auth/md5.ts";

const encoder = new TextEncoder();
const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const reference = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");

// RFC 1321, appendix A.5.
const vectors: [message: string, digest: string][] = [
  ["", "d41d8cd98f00b204e9800998ecf8427e"],
  ["a", "0cc175b9c0f1b6a831c399e269772661"],
  ["abc", "900150983cd24fb0d6963f7d28e17f72"],
  ["message digest", "f96b697d7cb7938d525a2f31aaf161d0"],
  ["abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"],
  ["ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"],
  ["1234567890".repeat(8), "57edf4a22be3c955ac49da2e2107b67a"],
];

test("MD5 gives the digests of RFC 1321", () => {
  for (const [message, digest] of vectors) assert.equal(hex(md5(encoder.encode(message))), digest);
});

test("MD5 agrees with the platform's at every length around the block boundaries", () => {
  for (let length = 0; length <= 200; length++) {
    const message = Uint8Array.from({ length }, (_, index) => (index * 151 + length) & 0xff);
    assert.equal(hex(md5(message)), reference(message), `length ${length}`);
  }
});

test("MD5 agrees with the platform's on any bytes, and reads only the part of a buffer that it is given", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), fc.nat(5), (bytes, skip) => {
    const part = bytes.subarray(Math.min(skip, bytes.length));
    assert.equal(hex(md5(part)), reference(part));
  }));
});

test("the answer to AuthenticationMD5Password hashes password and user, then the salt", () => {
  // md5sum's, of md5sum's.
  const salt = new Uint8Array([1, 2, 3, 4]);
  assert.equal(md5Password("alice", "secret", salt), "md598a0412b9c31436fc53776e863350083");
  const binarySalt = new Uint8Array([0xff, 0, 0x80, 4]);
  assert.equal(md5Password("jürgen", "pässwörd", binarySalt), "md54074d39e2aface2d335dede19e442a0a");
});

test("an MD5 answer is refused without a password or with a salt of another size", () => {
  assert.throws(() => md5Password("alice", "", new Uint8Array(4)), { code: "AUTH_PASSWORD_MISSING" });
  for (const size of [0, 3, 5]) {
    assert.throws(() => md5Password("alice", "secret", new Uint8Array(size)), { code: "AUTH_MD5_SALT" });
  }
});
