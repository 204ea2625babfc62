import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_FIRST_BYTES, offerOf, readOffer } from "../../src/duplex/proxy_protocol.ts";

/** A TLS record that begins as one with a ClientHello does, of so many bytes altogether. */
function clientHello(size: number): Uint8Array {
  const record = Uint8Array.from({ length: size }, (_, at) => at * 7);
  record.set([22, 3, 1, (size - 5) >> 8, (size - 5) & 0xff, 1]);
  return record;
}

test("what is offered is read again", () => {
  for (const sslRequest of [true, false]) {
    const sizes = [undefined, 6, 7, 8, 9, 300, MAX_FIRST_BYTES];
    for (const first of sizes.map((size) => size === undefined ? undefined : clientHello(size))) {
      const offer = offerOf({ sslRequest, first });
      assert.ok(offer);
      for (const name of offer) assert.match(name, /^[A-Za-z0-9._-]+$/, "a token of HTTP");
      assert.deepEqual(readOffer(offer.join(", ")), { ok: true, opening: { sslRequest, first } });
      assert.deepEqual(readOffer(offer.reverse().join(",")), { ok: true, opening: { sslRequest, first } });
    }
  }
});

test("whoever takes what is offered first takes nothing that means anything", () => {
  assert.match(offerOf({ sslRequest: true, first: clientHello(300) })?.[0] ?? "", /^pgduplex\.v1\.first\.FgMB/);
});

test("too many first bytes are not offered", () => {
  assert.equal(offerOf({ sslRequest: true, first: clientHello(MAX_FIRST_BYTES + 1) }), undefined);
});

test("without the name of the protocol nothing is wished", () => {
  for (const header of [undefined, "", "chat", "pgduplex.v2", "pgduplex.v1.sslrequest", "pgduplex.v1.first.*"]) {
    assert.deepEqual(readOffer(header), { ok: true, opening: undefined }, header);
  }
});

test("what a later version may wish is ignored", () => {
  assert.deepEqual(readOffer("pgduplex.v1.tea, pgduplex.v1, chat"), {
    ok: true,
    opening: { sslRequest: false, first: undefined },
  });
});

test("first bytes that are not what they should be are refused", () => {
  const base64Url = (bytes: Uint8Array) =>
    btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (letter) => ({ "+": "-", "/": "_" })[letter] ?? "");
  const changed = (at: number, value: number) => {
    const bytes = clientHello(64);
    bytes[at] = value;
    return base64Url(bytes);
  };
  const cases: [what: string, text: string, reason: RegExp][] = [
    ["nothing", "", /base64url/],
    ["padding", "FgMB=", /base64url/],
    ["a length that no bytes have", "FgMBA", /base64url/],
    ["a blank", "Fg MB", /base64url/],
    ["too many", "FgMB".repeat(MAX_FIRST_BYTES / 3 + 1), /more than/],
    ["only a header", base64Url(Uint8Array.of(22, 3, 1, 0, 0)), /no ClientHello/],
    ["another record", changed(0, 23), /no ClientHello/],
    ["another protocol", changed(1, 2), /no ClientHello/],
    ["another length", changed(4, 7), /no ClientHello/],
    ["another message", changed(5, 2), /no ClientHello/],
    ["a StartupMessage", base64Url(Uint8Array.of(0, 0, 0, 9, 0, 3, 0, 0, 0)), /no ClientHello/],
  ];
  for (const [what, text, reason] of cases) {
    const read = readOffer(`pgduplex.v1.first.${text}, pgduplex.v1`);
    assert.ok(!read.ok, what);
    assert.match(read.reason, reason, what);
  }
  const twice = readOffer("pgduplex.v1.first.AAAA, pgduplex.v1.first.BBBB, pgduplex.v1");
  assert.deepEqual(twice, { ok: false, reason: "first bytes are offered twice" });
});
