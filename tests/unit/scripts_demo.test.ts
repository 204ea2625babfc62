import assert from "node:assert/strict";
import { test } from "node:test";
import { describeCoordinate, parseCoordinate, POINT_NEMO } from "../../scripts/demo/arguments.ts";
import { renderTable } from "../../scripts/table.ts";
import { describeTls, phasesOf, renderWaterfall } from "../../scripts/demo/waterfall.ts";
import type { Chunk, RelayedConnection } from "../fixtures/relay.ts";

const coordinates: [string[], { lat: number; lon: number }][] = [
  [[], POINT_NEMO],
  [["--lat=1.5", "--lon=-2"], { lat: 1.5, lon: -2 }],
  [["--lon", "-180", "--lat", "-90"], { lat: -90, lon: -180 }],
];

for (const [args, expected] of coordinates) {
  test(`the demo takes ${args.join(" ") || "no arguments"}`, () => assert.deepEqual(parseCoordinate(args), expected));
}

const refused: [string[], RegExp][] = [
  [["--lat=91", "--lon=0"], /--lat is a number from -90 to 90/],
  [["--lat=0", "--lon=181"], /--lon is a number from -180 to 180/],
  [["--lat=", "--lon=0"], /--lat is a number/],
  [["--lat=north", "--lon=0"], /--lat is a number/],
  [["--lat"], /--lat is a number/],
  [["--lat=1"], /belong together/],
  [["--latitude=1"], /no --latitude/],
  [["48"], /no 48/],
  [["--toString=1"], /no --toString/],
];

for (const [args, message] of refused) {
  test(`the demo refuses ${args.join(" ")}, with its usage`, () => {
    assert.throws(
      () => parseCoordinate(args),
      (error: Error) => message.test(error.message) && /Usage/.test(error.message),
    );
  });
}

test("a coordinate is shown with its hemispheres", () => {
  assert.equal(describeCoordinate(POINT_NEMO), "48.88° S, 123.39° W");
  assert.equal(describeCoordinate({ lat: 0, lon: 179.999 }), "0.00° N, 180.00° E");
});

test("a table is as wide as what stands in it, whatever it is written with", () => {
  const columns = [
    { title: "place", show: (row: [string, number]) => row[0] },
    { title: "km", show: (row: [string, number]) => String(row[1]), right: true },
  ];
  assert.equal(
    renderTable(columns, [["Ré\u0301", 5], ["Longyearbyen", 1200]]),
    ["place           km", "────────────  ────", "Ré\u0301               5", "Longyearbyen  1200"].join("\n"),
  );
});

test("turns belong to the phase in which they end", () => {
  const chunk = (turn: number, at: number): Chunk => ({ from: "server", bytes: new Uint8Array(1), turn, at });
  const connection: RelayedConnection = {
    turns: 3,
    chunks: [chunk(1, 1020), chunk(2, 1040), chunk(3, 1060)],
    bytes: () => new Uint8Array(),
    faulted: new Promise(() => {}),
    closed: Promise.resolve(),
  };
  const moments = { opened: 19, secured: 41, authenticated: 61, firstRow: 62 };
  assert.deepEqual(phasesOf(moments, 1000, connection, 5).map(({ name, turns }) => [name, turns]), [
    ["open", 1],
    ["TLS", 1],
    ["auth", 1],
    ["first row", 0],
  ]);
});

test("bars follow one another on one scale, and a phase without width still shows", () => {
  const phases = [{ name: "open", until: 50, turns: 1 }, { name: "TLS", until: 50, turns: 0 }, {
    name: "auth",
    until: 100,
    turns: 2,
  }];
  const [title, open, tls, auth, total] = renderWaterfall([{ title: "x", tls: "no TLS", phases }]).split("\n");
  assert.equal(title, "x: no TLS");
  assert.match(open ?? "", /^ {2}open {6}█{26} {27} {3}50\.0 ms {3}1 turn$/);
  assert.match(tls ?? "", /^ {2}TLS {7} {26}▏ +0\.0 ms {3}0 turns$/);
  assert.match(auth ?? "", /^ {2}auth {6} {26}█{26} +50\.0 ms {3}2 turns$/);
  assert.match(total ?? "", /^ +100\.0 ms {3}3 turns$/);
});

test("TLS is described as far as it is known", () => {
  const agreed = { protocol: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", group: "X25519", alpn: "postgresql" };
  assert.equal(describeTls({ engine: "wolfssl", ...agreed }), "wolfssl, TLSv1.3, X25519, TLS_AES_256_GCM_SHA384");
  assert.equal(describeTls({ engine: "platform", protocol: "TLSv1.3", group: undefined }), "platform, TLSv1.3");
  assert.equal(describeTls(undefined), "no TLS");
});
