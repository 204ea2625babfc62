import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readCertificate } from "../../wolfssl/x509/certificate.ts";
import {
  DerError,
  DerReader,
  integerBytes,
  readBoolean,
  readNamedBits,
  readOid,
  readSmallInteger,
  readTime,
  readWhole,
} from "../../wolfssl/x509/der.ts";
import { ISRG_ROOTS } from "../../wolfssl/isrg_roots.ts";
import { nameText } from "../../wolfssl/x509/name.ts";
import { certificatesFromPem } from "../../wolfssl/x509/pem.ts";

const der = (hex: string) => Uint8Array.from(hex.match(/[0-9a-f]{2}/g) ?? [], (byte) => parseInt(byte, 16));
const ascii = (tag: string, text: string) => {
  const bytes = new TextEncoder().encode(text);
  return Uint8Array.of(...der(tag), bytes.length, ...bytes);
};

test("DER is read strictly", () => {
  const malformed: [why: string, hex: string, read: (value: Uint8Array) => unknown][] = [
    ["nothing", "", readWhole],
    ["no length", "30", readWhole],
    ["an indefinite length", "3080020100" + "0000", readWhole],
    ["a length that is not minimal", "308101" + "00", readWhole],
    ["a length with a leading zero", "30820080" + "00".repeat(128), readWhole],
    ["a length of five bytes", "308501000000000000", readWhole],
    ["cut off", "300200", readWhole],
    ["bytes after", "300000", readWhole],
    ["a long tag", "3f8101" + "00", readWhole],
    ["another tag", "0400", (bytes) => readWhole(bytes, 0x30)],
    ["an empty INTEGER", "0200", (bytes) => integerBytes(readWhole(bytes))],
    ["a padded INTEGER", "0202007f", (bytes) => integerBytes(readWhole(bytes))],
    ["a padded negative INTEGER", "0202ff80", (bytes) => integerBytes(readWhole(bytes))],
    ["a negative INTEGER", "0201ff", (bytes) => readSmallInteger(readWhole(bytes))],
    ["a huge INTEGER", "02050100000000", (bytes) => readSmallInteger(readWhole(bytes))],
    ["a BOOLEAN of 1", "010101", (bytes) => readBoolean(readWhole(bytes))],
    ["an empty OID", "0600", (bytes) => readOid(readWhole(bytes))],
    ["an OID that is cut off", "060180", (bytes) => readOid(readWhole(bytes))],
    ["an OID that is padded", "06022a8001", (bytes) => readOid(readWhole(bytes))],
    ["bits with no count", "0300", (bytes) => readNamedBits(readWhole(bytes))],
    ["8 unused bits", "030208ff", (bytes) => readNamedBits(readWhole(bytes))],
  ];
  for (const [why, hex, read] of malformed) assert.throws(() => read(der(hex)), DerError, why);
});

test("DER is read right", () => {
  assert.equal(readOid(readWhole(der("06092a864886f70d01010b"))), "1.2.840.113549.1.1.11");
  assert.equal(readOid(readWhole(der("06032b6570"))), "1.3.101.112");
  assert.equal(readOid(readWhole(der("0603551d11"))), "2.5.29.17");
  assert.equal(readSmallInteger(readWhole(der("02020080"))), 128);
  assert.deepEqual([...readNamedBits(readWhole(der("030205a0")))], [0, 2]);
  const reader = new DerReader(der("020101" + "0500"));
  assert.equal(reader.optional(0x04), undefined);
  assert.equal(reader.next(0x02).content[0], 1);
  reader.next();
  reader.end();
});

test("times are read as RFC 5280 has them, and no others", () => {
  const cases: [tag: string, text: string, iso: string | undefined][] = [
    ["17", "491231235959Z", "2049-12-31T23:59:59.000Z"],
    ["17", "500101000000Z", "1950-01-01T00:00:00.000Z"],
    ["18", "20500101000000Z", "2050-01-01T00:00:00.000Z"],
    ["18", "00010101000000Z", "0001-01-01T00:00:00.000Z"],
    ["18", "99991231235959Z", "9999-12-31T23:59:59.000Z"],
    ["17", "4912312359Z", undefined],
    ["17", "491231235959+0000", undefined],
    ["18", "20500101000000.5Z", undefined],
    ["18", "20500230000000Z", undefined],
    ["18", "20501301000000Z", undefined],
    ["18", "20500101240000Z", undefined],
    ["0c", "491231235959Z", undefined],
  ];
  for (const [tag, text, iso] of cases) {
    const read = () => new Date(readTime(readWhole(ascii(tag, text)))).toISOString();
    if (iso === undefined) assert.throws(read, DerError, text);
    else assert.equal(read(), iso);
  }
});

test("certificates are found in PEM and read", () => {
  const [x1, x2] = certificatesFromPem(`a comment\n${ISRG_ROOTS.join("\n")}`).map(readCertificate);
  assert.equal(x1 && nameText(x1.subject), "C=US, O=Internet Security Research Group, CN=ISRG Root X1");
  assert.deepEqual([x1?.publicKey, x1?.signatureAlgorithm], [{ kind: "rsa", bits: 4096 }, {
    kind: "rsa",
    hash: "SHA-256",
  }]);
  assert.deepEqual(x2?.publicKey, { kind: "ecdsa", curve: "P-384" });
  assert.equal(x1?.extensions.basicConstraints?.ca, true);
  assert.equal(new Date(x1?.notAfter ?? 0).toISOString(), "2035-06-04T11:04:38.000Z");
});

test("no bytes make reading a certificate do anything but succeed or throw a DerError", () => {
  const genuine = certificatesFromPem(ISRG_ROOTS[1] ?? "")[0] ?? assert.fail();
  const read = (bytes: Uint8Array) => {
    try {
      readCertificate(bytes);
    } catch (error) {
      assert.ok(error instanceof DerError, String(error));
    }
  };
  for (let end = 0; end < genuine.length; end++) {
    assert.throws(() => readCertificate(genuine.subarray(0, end)), DerError);
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), read));
  const changes = fc.array(fc.tuple(fc.nat(genuine.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(changes, (changed) => {
      const bytes = genuine.slice();
      for (const [at, byte] of changed) bytes[at] = byte;
      read(bytes);
    }),
    { numRuns: 2000 },
  );
});
