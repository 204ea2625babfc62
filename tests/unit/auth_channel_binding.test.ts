import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readSignatureAlgorithm } from "../../src/auth/certificate.ts";
import { type BindingChoice, chooseBinding } from "../../src/auth/channel_binding.ts";
import { tlsServerEndPoint } from "../../src/auth/server_end_point.ts";
import { AuthenticationError } from "../../src/errors.ts";
import { signedCertificates } from "../fixtures/signed_certificates.ts";

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

function der(name: string): Uint8Array {
  const { pem } = signedCertificates.find((certificate) => certificate.name === name) ?? assert.fail(name);
  const base64 = pem.replace(/-----[A-Z ]+-----|\s/g, "");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

test("the end point of a certificate is what OpenSSL gives as its fingerprint by the hash of RFC 5929", async () => {
  for (const { name, fingerprint } of signedCertificates) {
    if (fingerprint !== undefined) assert.equal(hex(await tlsServerEndPoint(der(name))), fingerprint, name);
  }
});

test("a certificate signed without a hash, or with one that is not to be had, cannot be bound to", async () => {
  const without = signedCertificates.filter(({ fingerprint }) => fingerprint === undefined);
  assert.equal(without.length, 6);
  for (const { name } of without) {
    await assert.rejects(tlsServerEndPoint(der(name)), { code: "AUTH_CHANNEL_BINDING_UNSUPPORTED" }, name);
  }
});

test("signature algorithms are named by their dotted identifiers", () => {
  const cases: [name: string, algorithm: string, digest: string | undefined][] = [
    ["ecdsa_sha384", "1.2.840.10045.4.3.3", undefined],
    ["ed25519", "1.3.101.112", undefined],
    ["rsa_sha3_256", "2.16.840.1.101.3.4.3.14", undefined],
    ["pss_sha1", "1.2.840.113549.1.1.10", "1.3.14.3.2.26"],
    ["pss_sha512", "1.2.840.113549.1.1.10", "2.16.840.1.101.3.4.2.3"],
  ];
  for (const [name, algorithm, digest] of cases) {
    assert.deepEqual(readSignatureAlgorithm(der(name)), { algorithm, digest });
  }
});

// SEQUENCE { SEQUENCE {}, SEQUENCE { 1.2.840.10045.4.3.2 }, BIT STRING {} }
const smallest = [0x30, 0x10, 0x30, 0, 0x30, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2, 3, 0];

test("the smallest thing shaped like a certificate is read", () => {
  assert.equal(readSignatureAlgorithm(new Uint8Array(smallest)).algorithm, "1.2.840.10045.4.3.2");
});

const malformed: [name: string, bytes: number[]][] = [
  ["nothing", []],
  ["a tag alone", [0x30]],
  ["another kind of element", [0x31, ...smallest.slice(1)]],
  ["cut off", smallest.slice(0, -1)],
  ["bytes after the end", [...smallest, 0]],
  ["an indefinite length", [0x30, 0x80, ...smallest.slice(2), 0, 0]],
  ["a length in more bytes than needed", [0x30, 0x81, ...smallest.slice(1)]],
  ["a length with a leading zero", [0x30, 0x82, 0, ...smallest.slice(1)]],
  ["a length of four bytes", [0x30, 0x84, 0xff, 0xff, 0xff, 0xff]],
  ["a length beyond the end", [0x30, 0x83, 0xff, 0xff, 0xff]],
  ["nothing after tbsCertificate", [0x30, 2, 0x30, 0]],
  ["no signature", [0x30, 0x0e, ...smallest.slice(2, -2)]],
  ["an empty identifier", [0x30, 8, 0x30, 0, 0x30, 2, 6, 0, 3, 0]],
  ["an identifier that is cut off", [0x30, 9, 0x30, 0, 0x30, 3, 6, 1, 0x80, 3, 0]],
  ["an absurd identifier", [0x30, 18, 0x30, 0, 0x30, 12, 6, 10, ...Array(9).fill(0xff), 0x7f, 3, 0]],
];

test("what is not a certificate in DER is refused", () => {
  for (const [name, bytes] of malformed) {
    assert.throws(
      () => readSignatureAlgorithm(new Uint8Array(bytes)),
      { code: "AUTH_CHANNEL_BINDING_CERTIFICATE" },
      name,
    );
  }
  assert.throws(() => readSignatureAlgorithm(new Uint8Array(2 ** 20 + 1)), /1048577 bytes/);
});

test("a damaged certificate is read or refused by an AuthenticationError, never otherwise", () => {
  const whole = der("pss_sha256");
  fc.assert(fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, byte, length) => {
    const damaged = whole.slice(0, length);
    if (at < length) damaged[at] = byte;
    try {
      readSignatureAlgorithm(damaged);
    } catch (error) {
      assert.ok(error instanceof AuthenticationError);
    }
  }));
});

const PLAIN = "SCRAM-SHA-256";
const PLUS = "SCRAM-SHA-256-PLUS";
const endPoint = new Uint8Array(32);

/** The outcome is the binding's kind, or the error's code. */
const choices: [
  offered: string[],
  channelBinding: BindingChoice["channelBinding"],
  encrypted: boolean,
  shown: boolean,
  outcome: string,
][] = [
  [[PLAIN], "prefer", false, false, "none"],
  [[PLAIN], "prefer", true, false, "none"],
  [[PLAIN], "prefer", true, true, "supported-but-unused"],
  [[PLAIN], "disable", true, true, "none"],
  [[PLAIN], "require", true, true, "AUTH_CHANNEL_BINDING_REQUIRED"],
  [[PLAIN], "require", false, false, "AUTH_CHANNEL_BINDING_REQUIRED"],
  [[PLUS, PLAIN], "prefer", true, true, "tls-server-end-point"],
  [[PLUS, PLAIN], "require", true, true, "tls-server-end-point"],
  [[PLUS, PLAIN], "disable", true, true, "none"],
  [[PLUS, PLAIN], "prefer", true, false, "none"],
  [[PLUS, PLAIN], "require", true, false, "AUTH_CHANNEL_BINDING_REQUIRED"],
  [[PLUS, PLAIN], "prefer", false, false, "AUTH_CHANNEL_BINDING_UNENCRYPTED"],
  [[PLUS], "prefer", true, true, "tls-server-end-point"],
  [[PLUS], "prefer", true, false, "AUTH_MECHANISM_UNSUPPORTED"],
  [[PLUS], "disable", true, true, "AUTH_MECHANISM_UNSUPPORTED"],
  [["OAUTHBEARER"], "prefer", true, true, "AUTH_MECHANISM_UNSUPPORTED"],
  [[], "prefer", true, true, "AUTH_MECHANISM_UNSUPPORTED"],
];

test("the binding follows from what the server offers, what was asked for and what TLS shows", () => {
  for (const [offered, channelBinding, encrypted, shown, outcome] of choices) {
    const choose = () =>
      chooseBinding({ offered, channelBinding, encrypted, endPoint: shown ? endPoint : undefined }).kind;
    const name = `${offered} ${channelBinding} ${encrypted} ${shown}`;
    if (outcome.startsWith("AUTH_")) assert.throws(choose, { code: outcome }, name);
    else assert.equal(choose(), outcome, name);
  }
});
