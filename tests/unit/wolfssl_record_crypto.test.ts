import assert from "node:assert/strict";
import { test } from "node:test";
import type { Duplex } from "../../src/duplex/duplex.ts";
import { deferred } from "../../src/duplex/waiting.ts";
import { type Aead, subtleAead } from "../../wolfssl/aead.ts";
import { chooseCrypto } from "../../wolfssl/crypto_choice.ts";
import { nodeAead } from "../../wolfssl/node_crypto.ts";
import { Outgoing } from "../../wolfssl/outgoing.ts";
import {
  applicationData12,
  applicationData13,
  innerPlaintext13,
  later,
  nonceOf,
  sealed12,
} from "../../wolfssl/record_layout.ts";
import { concatenate } from "../../wolfssl/records.ts";

const filled = (length: number, value: number) => new Uint8Array(length).fill(value);

const AEADS: [name: string, aead: Aead | undefined][] = [["SubtleCrypto", subtleAead], ["Node's crypto", nodeAead()]];

for (const [name, aead] of AEADS) {
  test(`${name} seals as GCM's specification has it, and opens nothing that was touched`, async () => {
    assert.ok(aead, "this runtime has it");
    // The Galois/Counter Mode of Operation (McGrew, Viega), test case 16.
    const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
    const key = aead.importKey(bytes("feffe9928665731c6d6a8f9467308308".repeat(2)));
    const nonce = bytes("cafebabefacedbaddecaf888");
    const additionalData = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    const plaintext = bytes(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657" +
        "ba637b39",
    );
    const ciphertext = bytes(
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a" +
        "bcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
    );
    assert.deepEqual(concatenate(await key.seal(plaintext, nonce, additionalData)), ciphertext);
    const opened = await key.open(ciphertext, nonce, additionalData) ?? assert.fail("it stays shut");
    assert.deepEqual(applicationData12(opened), plaintext);
    for (const at of [0, 30, ciphertext.length - 1]) {
      const touched = ciphertext.slice();
      touched[at] ^= 1;
      assert.equal(await key.open(touched, nonce, additionalData), undefined, `byte ${at}`);
    }
    assert.equal(await key.open(ciphertext, nonce, additionalData.subarray(1)), undefined);
    assert.equal(await key.open(filled(15, 0), nonce, additionalData), undefined, "shorter than a tag");
  });
}

test("a record's number goes into its nonce, beyond 32 bits too", () => {
  const iv = filled(12, 0xff);
  const expected = Uint8Array.of(255, 255, 255, 255, 0xfe, 0xfd, 0xfc, 0xfb, 0x7a, 0xf9, 0xf8, 0xf7);
  assert.deepEqual(nonceOf(iv, { high: 0x01020304, low: 0x85060708 }), expected);
  assert.deepEqual(iv, filled(12, 0xff), "the IV is left as it was");
  assert.deepEqual(later({ high: 0, low: 2 ** 32 - 1 }, 1), { high: 1, low: 0 });
  assert.deepEqual(later({ high: 5, low: 7 }, 3), { high: 5, low: 10 });
});

test("TLS 1.2's nonce and additional data are RFC 5288's and RFC 5246's", () => {
  const record = Uint8Array.of(23, 3, 3, 0, 8 + 3 + 16, 1, 2, 3, 4, 5, 6, 7, 8, ...filled(3 + 16, 9));
  const { nonce, additionalData, ciphertext } = sealed12(record, filled(12, 7), { high: 1, low: 2 });
  assert.deepEqual(nonce, Uint8Array.of(7, 7, 7, 7, 1, 2, 3, 4, 5, 6, 7, 8));
  assert.deepEqual(additionalData, Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 2, 23, 3, 3, 0, 3));
  assert.deepEqual(ciphertext, filled(3 + 16, 9));
});

test("of a TLS 1.3 record only application data is taken, without its padding", () => {
  const inner = innerPlaintext13(Uint8Array.of(1, 2, 0));
  assert.deepEqual(applicationData13(inner), Uint8Array.of(1, 2, 0));
  assert.deepEqual(applicationData13(Uint8Array.of(...inner, 0, 0, 0)), Uint8Array.of(1, 2, 0));
  assert.deepEqual(applicationData13(Uint8Array.of(23)), new Uint8Array());
  const cases: [name: string, plaintext: Uint8Array][] = [
    ["a handshake message", Uint8Array.of(1, 2, 22)],
    ["nothing but padding", filled(20, 0)],
    ["more content than a record may have", Uint8Array.of(...filled(16385, 1), 23)],
  ];
  for (const [name, plaintext] of cases) assert.equal(applicationData13(plaintext), undefined, name);
});

/** A Duplex that notes what is written. */
function sink(): { duplex: Duplex; written: number[] } {
  const written: number[] = [];
  const duplex: Partial<Duplex> = {
    write: (bytes) => {
      written.push(...bytes);
      return Promise.resolve();
    },
  };
  return { duplex: duplex as Duplex, written };
}

test("what is ready waits for what is not and came before it", async () => {
  const { duplex, written } = sink();
  const outgoing = new Outgoing(duplex);
  await outgoing.send(Uint8Array.of(1), 1);
  const [second, third] = [deferred<Uint8Array>(), deferred<Uint8Array>()];
  await outgoing.send(second.promise, 1);
  await outgoing.send(third.promise, 1);
  await outgoing.send(Uint8Array.of(4), 1);
  assert.deepEqual(written, [1]);
  third.resolve(Uint8Array.of(3));
  await third.promise;
  second.resolve(Uint8Array.of(2));
  await outgoing.settled();
  assert.deepEqual(written, [1, 2, 3, 4]);
});

test("a write waits for the first that is under way when enough is", async () => {
  const { duplex } = sink();
  const outgoing = new Outgoing(duplex);
  const [first, second] = [deferred<Uint8Array>(), deferred<Uint8Array>()];
  await outgoing.send(first.promise, 200_000);
  let goesOn = false;
  const waiting = outgoing.send(second.promise, 200_000).then(() => goesOn = true);
  await Promise.resolve();
  assert.equal(goesOn, false);
  first.resolve(Uint8Array.of(1));
  await waiting;
  second.resolve(Uint8Array.of(2));
  await outgoing.settled();
});

test("nothing is sent after what could not be made", async () => {
  const { duplex, written } = sink();
  const outgoing = new Outgoing(duplex);
  await outgoing.send(Promise.reject(new Error("no")), 1);
  await assert.rejects(outgoing.settled(), /no/);
  await outgoing.send(Uint8Array.of(2), 1);
  await assert.rejects(outgoing.settled(), /no/);
  assert.deepEqual(written, []);
});

test("records are protected by whom the choice of crypto names", () => {
  assert.equal(chooseCrypto("wasm").records, undefined);
  assert.deepEqual(chooseCrypto("subtle").records, { aead: subtleAead, openFrom: 0, sealFrom: 0 });
  const automatic = chooseCrypto("auto").records;
  assert.equal(automatic?.aead === subtleAead, "Deno" in globalThis, "Node's own crypto on Node, SubtleCrypto on Deno");
});
