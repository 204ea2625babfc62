/**
 * How fast each family of types is decoded from the bytes of a row: ours, and npm pg-types (which node-postgres uses and
 * which needs a string first). A ratio above 1 means that ours is faster.
 *
 * Run under Deno as it is, and under Node after bundling it with esbuild (`--platform=node --format=esm`).
 *
 * @module
 */

import process from "node:process";
import { Buffer } from "node:buffer";
import pgTypes from "pg-types";
import { encodeParameter } from "../src/types/parameters.ts";
import { arrays, builtins, otherTypes } from "../src/types/oids.ts";
import { types } from "../src/types/registry.ts";

const VALUES = 1000;
const ROUNDS = 9;
const ROUND_MILLIS = 30;

const random = (limit: number) => Math.floor(Math.random() * limit);
const two = (limit: number, from = 0) => String(from + random(limit)).padStart(2, "0");
const day = () => `${1970 + random(80)}-${two(12, 1)}-${two(28, 1)}`;
const clock = () => `${two(24)}:${two(60)}:${two(60)}`;
const micros = () => `.${String(random(1e6)).padStart(6, "0")}`;
const hex = (length: number) => Array.from({ length }, () => random(16).toString(16)).join("");
const word = () => Math.random().toString(36).slice(2, 8);
const list = (length: number, element: () => unknown) => `{${Array.from({ length }, element).join(",")}}`;

const families: readonly (readonly [name: string, oid: number, text: () => string])[] = [
  ["bool", builtins.BOOL, () => (random(2) === 0 ? "t" : "f")],
  ["int4, small", builtins.INT4, () => String(random(1000))],
  ["int4, large", builtins.INT4, () => String(random(2 ** 31) - 2 ** 30)],
  ["int8", builtins.INT8, () => String(random(2 ** 53))],
  ["float8, short", builtins.FLOAT8, () => String(random(1e6) / 100)],
  ["float8, 17 digits", builtins.FLOAT8, () => String(Math.random())],
  ["numeric", builtins.NUMERIC, () => `${random(1e6)}.${two(100)}`],
  ["text, 6 bytes", builtins.TEXT, word],
  ["text, 40 bytes", builtins.TEXT, () => hex(40)],
  ["text, 40 letters", builtins.TEXT, () => "é".repeat(40)],
  ["uuid", builtins.UUID, () => `${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}`],
  ["bytea, 16 bytes", builtins.BYTEA, () => `\\x${hex(32)}`],
  ["bytea, 1 KiB", builtins.BYTEA, () => `\\x${hex(2048)}`],
  ["json, small", builtins.JSONB, () => `{"id": ${random(1000)}, "name": "${word()}"}`],
  [
    "json, 1 KiB",
    builtins.JSONB,
    () => JSON.stringify(Array.from({ length: 20 }, () => ({ id: random(1000), name: hex(20) }))),
  ],
  ["date", builtins.DATE, day],
  ["timestamp", builtins.TIMESTAMP, () => `${day()} ${clock()}${micros()}`],
  ["timestamptz", builtins.TIMESTAMPTZ, () => `${day()} ${clock()}${micros()}+00`],
  ["interval", builtins.INTERVAL, () => `${random(30)} days ${clock()}${micros()}`],
  ["point", otherTypes.POINT, () => `(${random(1e6) / 1e4},${random(1e6) / 1e4})`],
  ["circle", builtins.CIRCLE, () => `<(${random(1e6) / 1e4},${random(1e6) / 1e4}),${random(100)}>`],
  ["int4[], 10", arrays.INT4, () => list(10, () => random(1000))],
  ["float8[], 10", arrays.FLOAT8, () => list(10, () => random(1e6) / 100)],
  ["text[], 10", arrays.TEXT, () => list(10, word)],
  ["text[], 10 quoted", arrays.TEXT, () => list(10, () => `"${word()} \\"${word()}\\""`)],
  ["timestamptz[], 3", arrays.TIMESTAMPTZ, () => list(3, () => `"${day()} ${clock()}${micros()}+00"`)],
];

/** Whatever is decoded is looked at, so that decoding it is not optimised away. */
let sink: unknown;

/** Nanoseconds per call of the fastest round. */
function measure(work: () => void): number {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    let calls = 0;
    let elapsed = 0;
    while (elapsed < ROUND_MILLIS) {
      work();
      calls++;
      elapsed = performance.now() - start;
    }
    best = Math.min(best, elapsed * 1e6 / calls);
  }
  return best;
}

interface Row {
  readonly buffer: Buffer;
  readonly starts: readonly number[];
}

/** The values one after the other, as in DataRow messages. */
function layOut(text: () => string): Row {
  const starts = [0];
  const values = Array.from({ length: VALUES }, () => Buffer.from(text()));
  for (const value of values) starts.push(starts[starts.length - 1] + value.length);
  return { buffer: Buffer.concat(values), starts };
}

function compare(oid: number, { buffer, starts }: Row): { ours: number; theirs: number } {
  const decode = types.decoder(oid, 0);
  const parse = pgTypes.getTypeParser(oid, "text") as (text: string) => unknown;
  const ours = () => {
    for (let at = 0; at < VALUES; at++) sink = decode(buffer, starts[at], starts[at + 1]);
  };
  const theirs = () => {
    for (let at = 0; at < VALUES; at++) sink = parse(buffer.toString("utf8", starts[at], starts[at + 1]));
  };
  ours();
  theirs();
  return { ours: measure(ours) / VALUES, theirs: measure(theirs) / VALUES };
}

function line(name: string, ours: number, theirs: number): void {
  const cells = [ours.toFixed(0), theirs.toFixed(0), (theirs / ours).toFixed(2)].map((cell) => cell.padStart(10));
  console.log(name.padEnd(20) + cells.join(""));
}

const only = process.argv[2] ?? "";
console.log("ns per value".padEnd(20) + ["pgduplex", "pg-types", "ratio"].map((title) => title.padStart(10)).join(""));
for (const [name, oid, text] of families) {
  if (!name.includes(only)) continue;
  const { ours, theirs } = compare(oid, layOut(text));
  line(name, ours, theirs);
}
const parameters = [1, "text", true, null, new Date(0), [1, 2, 3], { a: 1 }];
const encoding = measure(() => {
  for (const value of parameters) sink = encodeParameter(value);
});
console.log(`${"7 parameters".padEnd(20)}${encoding.toFixed(0).padStart(10)}`);
if (sink === undefined) console.log("nothing was decoded");
