import assert from "node:assert/strict";
import { test } from "node:test";
import { ProtocolVersion } from "../../src/protocol/codes.ts";
import * as frontend from "../../src/protocol/frontend.ts";
import { MessageWriter } from "../../src/protocol/message_writer.ts";
import { hex, wire } from "../fixtures/bytes.ts";

type Write = (writer: MessageWriter) => void;

const binary = wire("00ff80");
/** U+1F418, an elephant: four bytes in UTF-8, two units in UTF-16. */
const elephant = "🐘";

type Case = readonly [title: string, write: Write, bytes: string];
/** The functions of frontend.ts: leaving one out does not compile. */
type Message = {
  [Name in keyof typeof frontend]: (typeof frontend)[Name] extends (writer: MessageWriter, ...rest: never) => void
    ? Name
    : never;
}[keyof typeof frontend];

// PostgreSQL documentation, "Message Formats", in its order of names.
const byMessage = {
  bind: [
    ["Bind", (to) => frontend.bind(to, { values: [] }), "'B' 0000000c 00 00 0000 0000 0000"],
    [
      "Bind, all text, with names",
      (to) => frontend.bind(to, { portal: "p", statement: "né", values: ["1", null, "", elephant] }),
      "'B' 00000025 'p' 00 'n' c3a9 00 0000 0004 00000001 '1' ffffffff 00000000 00000004 f09f9098 0000",
    ],
    [
      "Bind, some binary, results in binary",
      (to) => frontend.bind(to, { values: ["1", binary, null], resultFormat: "binary" }),
      "'B' 00000024 00 00 0003 0000 0001 0000 0003 00000001 '1' 00000003 00ff80 ffffffff 0001 0001",
    ],
    [
      "Bind, results in text",
      (to) => frontend.bind(to, { values: [null], resultFormat: "text" }),
      "'B' 00000010 00 00 0000 0001 ffffffff 0000",
    ],
    [
      "Bind, an empty binary value",
      (to) => frontend.bind(to, { values: [wire("")] }),
      "'B' 00000012 00 00 0001 0001 0001 00000000 0000",
    ],
  ],
  cancelRequest: [
    [
      "CancelRequest of 3.0",
      (to) => frontend.cancelRequest(to, 0x1234, wire("deadbeef")),
      "00000010 04d2162e 00001234 deadbeef",
    ],
    [
      "CancelRequest of 3.2, with a negative process ID",
      (to) => frontend.cancelRequest(to, -2, wire("0001020304050607 08090a0b0c0d0eff")),
      "0000001c 04d2162e fffffffe 0001020304050607 08090a0b0c0d0eff",
    ],
  ],
  close: [
    ["Close of a statement", (to) => frontend.close(to, "S", "one"), "'C' 00000009 'Sone' 00"],
    ["Close of the unnamed portal", (to) => frontend.close(to, "P"), "'C' 00000006 'P' 00"],
  ],
  copyData: [
    ["CopyData", (to) => frontend.copyData(to, wire("'a' 09 'b' 0a 00")), "'d' 00000009 'a' 09 'b' 0a 00"],
    ["CopyData of nothing", (to) => frontend.copyData(to, wire("")), "'d' 00000004"],
  ],
  copyDone: [
    ["CopyDone", (to) => frontend.copyDone(to), "'c' 00000004"],
  ],
  copyFail: [
    ["CopyFail", (to) => frontend.copyFail(to, "no more"), "'f' 0000000c 'no more' 00"],
  ],
  describe: [
    ["Describe of the unnamed statement", (to) => frontend.describe(to, "S"), "'D' 00000006 'S' 00"],
    ["Describe of a portal", (to) => frontend.describe(to, "P", "one"), "'D' 00000009 'Pone' 00"],
  ],
  execute: [
    ["Execute", (to) => frontend.execute(to), "'E' 00000009 00 00000000"],
    ["Execute, some rows", (to) => frontend.execute(to, "c", 0x1020304), "'E' 0000000a 'c' 00 01020304"],
  ],
  flush: [
    ["Flush", (to) => frontend.flush(to), "'H' 00000004"],
  ],
  functionCall: [
    [
      "FunctionCall",
      (to) => frontend.functionCall(to, 0x80000001, ["1", null]),
      "'F' 00000017 80000001 0000 0002 00000001 '1' ffffffff 0000",
    ],
    [
      "FunctionCall in binary",
      (to) => frontend.functionCall(to, 7, [binary], "binary"),
      "'F' 00000017 00000007 0001 0001 0001 00000003 00ff80 0001",
    ],
  ],
  gssEncryptionRequest: [
    ["GSSENCRequest", (to) => frontend.gssEncryptionRequest(to), "00000008 04d21630"],
  ],
  gssResponse: [
    ["GSSResponse", (to) => frontend.gssResponse(to, binary), "'p' 00000007 00ff80"],
  ],
  parse: [
    [
      "Parse",
      (to) => frontend.parse(to, "", "select 1"),
      "'P' 00000010 00 'select 1' 00 0000",
    ],
    [
      "Parse with a name and types",
      (to) => frontend.parse(to, "s", "é", [23, 0, 0xffffffff]),
      "'P' 00000017 's' 00 c3a9 00 0003 00000017 00000000 ffffffff",
    ],
  ],
  passwordMessage: [
    ["PasswordMessage", (to) => frontend.passwordMessage(to, "pä"), "'p' 00000008 'p' c3a4 00"],
    ["PasswordMessage, empty", (to) => frontend.passwordMessage(to, ""), "'p' 00000005 00"],
  ],
  query: [
    ["Query", (to) => frontend.query(to, "select 1"), "'Q' 0000000d 'select 1' 00"],
    ["Query, empty", (to) => frontend.query(to, ""), "'Q' 00000005 00"],
  ],
  saslInitialResponse: [
    [
      "SASLInitialResponse",
      (to) => frontend.saslInitialResponse(to, "SCRAM-SHA-256", wire("'n,,n=,r=a'")),
      "'p' 0000001f 'SCRAM-SHA-256' 00 00000009 'n,,n=,r=a'",
    ],
    [
      "SASLInitialResponse without data",
      (to) => frontend.saslInitialResponse(to, "X", null),
      "'p' 0000000a 'X' 00 ffffffff",
    ],
  ],
  saslResponse: [
    ["SASLResponse", (to) => frontend.saslResponse(to, wire("'c=biws,r=a'")), "'p' 0000000e 'c=biws,r=a'"],
  ],
  sslRequest: [
    ["SSLRequest", (to) => frontend.sslRequest(to), "00000008 04d2162f"],
  ],
  startupMessage: [
    [
      "StartupMessage of 3.0",
      (to) => frontend.startupMessage(to, ProtocolVersion["3.0"], [["user", "bob"], ["database", ""]]),
      "0000001c 00030000 'user' 00 'bob' 00 'database' 00 00 00",
    ],
    [
      "StartupMessage of 3.2, without parameters",
      (to) => frontend.startupMessage(to, ProtocolVersion["3.2"], new Map()),
      "00000009 00030002 00",
    ],
  ],
  sync: [
    ["Sync", (to) => frontend.sync(to), "'S' 00000004"],
  ],
  terminate: [
    ["Terminate", (to) => frontend.terminate(to), "'X' 00000004"],
  ],
} satisfies Record<Message, readonly Case[]>;

const cases: readonly Case[] = Object.values(byMessage).flat();

function written(...writes: readonly Write[]): string {
  const writer = new MessageWriter();
  for (const write of writes) write(writer);
  return hex(writer.take());
}

test("every message is written byte by byte as the documentation has it", () => {
  for (const [name, write, bytes] of cases) assert.equal(written(write), hex(wire(bytes)), name);
});

test("messages written one after the other do not touch each other", () => {
  const expected = cases.map(([, , bytes]) => hex(wire(bytes)));
  assert.equal(written(...cases.map(([, write]) => write)), expected.join(""));
  assert.equal(written(...cases.map(([, write]) => write).reverse()), expected.reverse().join(""));
});

const withNul: readonly (readonly [what: string, write: Write])[] = [
  ["the portal's name", (to) => frontend.bind(to, { portal: "a\0b", values: [] })],
  ["the statement's name", (to) => frontend.bind(to, { statement: "\0", values: [] })],
  ["the statement's name", (to) => frontend.close(to, "S", "a\0")],
  ["the portal's name", (to) => frontend.close(to, "P", "\0a")],
  ["the reason for CopyFail", (to) => frontend.copyFail(to, "\0")],
  ["the statement's name", (to) => frontend.describe(to, "S", "a\0")],
  ["the portal's name", (to) => frontend.describe(to, "P", "\0a")],
  ["the portal's name", (to) => frontend.execute(to, "\0")],
  ["the statement's name", (to) => frontend.parse(to, "\0", "select 1")],
  ["the query", (to) => frontend.parse(to, "", "select '\0'")],
  ["the password", (to) => frontend.passwordMessage(to, "hunter\x002")],
  ["the query", (to) => frontend.query(to, "select '\0'")],
  ["the query", (to) => frontend.query(to, "x".repeat(100_000) + "\0")],
  ["the SASL mechanism", (to) => frontend.saslInitialResponse(to, "SCRAM\0", null)],
  ["the name of a startup parameter", (to) => frontend.startupMessage(to, 0x30000, [["us\0er", "bob"]])],
  ['the startup parameter "user"', (to) => frontend.startupMessage(to, 0x30000, [["user", "b\0ob"]])],
];

test("a NUL in any string is refused by an error that names the string and does not quote it", () => {
  for (const [what, write] of withNul) {
    assert.throws(() => written(write), {
      name: "ConfigError",
      code: "STRING_CONTAINS_NUL",
      message: `${what} contains a NUL character, which PostgreSQL cannot take`,
    });
  }
});

test("65,535 parameters are written, 65,536 refused", () => {
  const most = new Array<string | null>(65_535).fill(null);
  const types = new Array<number>(65_535).fill(23);
  const functions: readonly (readonly [write: (extra: boolean) => Write, prefix: string])[] = [
    [
      (extra) => (to) => frontend.bind(to, { values: extra ? [...most, null] : most }),
      "'B' 00040008 00 00 0000 ffff ffffffff",
    ],
    [
      (extra) => (to) => frontend.bind(to, { values: extra ? [...most, binary] : [...most.slice(1), binary] }),
      "'B' 00060009 00 00 ffff 0000",
    ],
    [
      (extra) => (to) => frontend.functionCall(to, 1, extra ? [...most, null] : most),
      "'F' 0004000a 00000001 0000 ffff",
    ],
    [(extra) => (to) => frontend.parse(to, "", "", extra ? [...types, 23] : types), "'P' 00040004 00 00 ffff 00000017"],
  ];
  for (const [write, prefix] of functions) {
    const start = hex(wire(prefix));
    assert.equal(written(write(false)).slice(0, start.length), start);
    const writer = new MessageWriter();
    assert.throws(() => write(true)(writer), {
      name: "ConfigError",
      code: "TOO_MANY_PARAMETERS",
      message: /65536 .*65535/,
    });
  }
});

test("a StartupMessage of more than PostgreSQL takes is refused, and so is a parameter without a name", () => {
  // "a", its value, two NUL bytes, the version and the last NUL: 8 bytes besides the value.
  const startup = (length: number) => (to: MessageWriter) =>
    frontend.startupMessage(to, ProtocolVersion["3.0"], [["a", "x".repeat(length - 8)]]);
  assert.equal(written(startup(10_000)).length / 2, 10_004);
  assert.throws(() => written(startup(10_001)), { name: "ConfigError", code: "MESSAGE_TOO_LONG", message: /10001/ });
  assert.throws(() => written((to) => frontend.startupMessage(to, ProtocolVersion["3.0"], [["", "x"]])), {
    name: "ConfigError",
    code: "STARTUP_PARAMETER_NAME",
  });
  // What waits before it does not count.
  const before: Write = (to) => to.bytes(new Uint8Array(20_000));
  assert.equal(written(before, startup(10_000)).length / 2, 30_004);
});
