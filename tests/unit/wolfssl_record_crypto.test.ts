import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import type { Duplex } from "../../src/duplex/duplex.ts";
import { deferred } from "../../src/duplex/waiting.ts";
import { TransportError } from "../../src/errors.ts";
import { type Aead, subtleAead } from "../../wolfssl/aead.ts";
import { TlsConnection } from "../../wolfssl/connection.ts";
import { chooseCrypto } from "../../wolfssl/crypto_choice.ts";
import { nodeAead } from "../../wolfssl/node_crypto.ts";
import { Outgoing } from "../../wolfssl/outgoing.ts";
import { RecordCrypto } from "../../wolfssl/record_crypto.ts";
import {
  applicationData12,
  applicationData13,
  header13,
  innerPlaintext13,
  later,
  nonceOf,
  sealed12,
  sealed13,
} from "../../wolfssl/record_layout.ts";
import { concatenate, RecordQueue } from "../../wolfssl/records.ts";
import type { Session, TrafficKeys } from "../../wolfssl/session.ts";

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
    ["more padding than a record may have", Uint8Array.of(1, 23, ...filled(16384, 0))],
  ];
  for (const [name, plaintext] of cases) assert.equal(applicationData13(plaintext), undefined, name);
  assert.deepEqual(applicationData13(Uint8Array.of(1, 23, ...filled(16383, 0))), Uint8Array.of(1));
});

test("of a TLS 1.2 record nothing over the limit is taken", () => {
  assert.deepEqual(applicationData12(filled(16384, 1)), filled(16384, 1));
  assert.equal(applicationData12(filled(16385, 1)), undefined);
});

/** SubtleCrypto whose promises are no instances of this realm's, as edge-runtime's, while `use` runs. */
async function withForeignPromises(use: () => Promise<void>): Promise<void> {
  const { subtle } = crypto;
  const Foreign = runInNewContext("Promise") as PromiseConstructor;
  const names = ["importKey", "encrypt", "decrypt"] as const;
  const foreign = (name: typeof names[number]) => (...args: never[]) =>
    Foreign.resolve((Reflect.get(SubtleCrypto.prototype, name) as (...args: never[]) => unknown).apply(subtle, args));
  for (const name of names) Object.defineProperty(subtle, name, { configurable: true, value: foreign(name) });
  try {
    assert.equal(
      crypto.subtle.importKey("raw", filled(16, 1), "AES-GCM", false, ["encrypt"]) instanceof Promise,
      false,
    );
    await use();
  } finally {
    for (const name of names) Reflect.deleteProperty(subtle, name);
  }
}

/** A record of application data, sealed with the keys. */
async function sealedRecord(protocol: string, { key, iv, sequence }: TrafficKeys, data: Uint8Array) {
  const sealing = subtleAead.importKey(key);
  if (protocol === "TLSv1.3") {
    const inner = innerPlaintext13(data);
    const header = header13(inner.length);
    const { nonce, additionalData } = sealed13(header, iv, sequence);
    return concatenate([header, ...await sealing.seal(inner, nonce, additionalData)]);
  }
  const size = 8 + data.length + 16;
  const start = Uint8Array.of(23, 3, 3, size >> 8, size & 0xff, ...filled(8, 5));
  const { nonce, additionalData } = sealed12(concatenate([start, data, filled(16, 0)]), iv, sequence);
  return concatenate([start, ...await sealing.seal(data, nonce, additionalData)]);
}

for (const protocol of ["TLSv1.2", "TLSv1.3"]) {
  test(`${protocol}: records are opened ahead where SubtleCrypto's promises are another realm's`, async () => {
    const traffic = { key: filled(32, 3), iv: filled(12, 4), sequence: { high: 0, low: 0 } };
    const data = filled(2000, 6);
    await withForeignPromises(async () => {
      const session = { protocol, trafficKeys: () => traffic } as Partial<Session> as Session;
      const ahead = new RecordCrypto(session, { aead: subtleAead, openFrom: 0, sealFrom: 0 });
      const queue = new RecordQueue();
      // The second time the key has been imported.
      for (const round of [1, 2]) {
        ahead.openAhead(queue.push(await sealedRecord(protocol, traffic, data)), 0);
        assert.equal(queue.hasOpened, false, `round ${round}: it takes a moment`);
        await (queue.hold ?? assert.fail(`round ${round}: the record is not held`));
        assert.deepEqual(queue.takeOpened(), data, `round ${round}`);
      }
    });
  });
}

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

const fail = (cause: unknown) => assert.fail(String(cause));

test("what is ready waits for what is not and came before it", async () => {
  const { duplex, written } = sink();
  const outgoing = new Outgoing(duplex, fail);
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
  const outgoing = new Outgoing(duplex, fail);
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

test("nothing is sent after what could not be made, and whoever writes next is told", async () => {
  const { duplex, written } = sink();
  const failures: unknown[] = [];
  const outgoing = new Outgoing(duplex, (cause) => failures.push(cause));
  await outgoing.send(Promise.reject(new Error("no")), 1);
  await assert.rejects(outgoing.settled(), /no/);
  await assert.rejects(outgoing.send(Uint8Array.of(2), 1), /no/);
  await assert.rejects(outgoing.settled(), /no/);
  assert.deepEqual(written, []);
  assert.deepEqual(failures.map(String), ["Error: no"]);
});

test("a write that fails after it was taken fails the connection, whose reader may be all that waits", async () => {
  const lost = new TransportError("TRANSPORT_LOST", "the writing side failed");
  const reading = deferred<Uint8Array | null>();
  const duplex: Partial<Duplex> = {
    info: { transport: "tcp", remote: "db:5432", secure: false },
    closed: Promise.resolve(),
    read: () => reading.promise,
    write: () => Promise.reject(lost),
    close: (reason) => reading.reject(reason),
  };
  const session: Partial<Session> = {
    records: new RecordQueue(),
    read: () => undefined,
    takeOutput: () => undefined,
    destroy: () => {},
  };
  const recordCrypto: Partial<RecordCrypto> = {
    wantsToSeal: () => true,
    seal: (bytes) => Promise.resolve(bytes),
  };
  const connection = new TlsConnection({
    duplex: duplex as Duplex,
    session: session as Session,
    recordCrypto: recordCrypto as RecordCrypto,
    tls: { engine: "wolfssl", protocol: "TLSv1.3", resumed: false },
    verified: true,
    onRead: undefined,
  });
  const read = connection.read();
  await connection.write(filled(4000, 1));
  await assert.rejects(read, lost);
  await assert.rejects(connection.write(filled(4000, 1)), lost);
  await assert.rejects(connection.closeWrite(), lost);
});

test("records are protected by whom the choice of crypto names", () => {
  assert.equal(chooseCrypto("wasm").records, undefined);
  assert.deepEqual(chooseCrypto("subtle").records, { aead: subtleAead, openFrom: 0, sealFrom: 0 });
  const automatic = chooseCrypto("auto").records;
  assert.equal(automatic?.aead === subtleAead, "Deno" in globalThis, "Node's own crypto on Node, SubtleCrypto on Deno");
});
