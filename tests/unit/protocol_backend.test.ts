import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "../../src/errors.ts";
import { type BackendMessage, decodeBackendMessage } from "../../src/protocol/backend.ts";
import { Backend } from "../../src/protocol/codes.ts";
import { BACKEND_TYPES, backendMessages } from "../fixtures/backend_messages.ts";
import { concat, hex, wire } from "../fixtures/bytes.ts";

const HEADER_LENGTH = 5;
const malformed = { name: "ProtocolError", code: "PROTOCOL_MALFORMED" };

/** What stands around a payload in its buffer: zeros would end a string too late, other bytes would prolong it. */
const surroundings = [wire(""), wire("00000000 00000000"), wire("ffffffff ffffffff"), wire("'abcd' 00000000")];

/** Decodes a payload that stands in the middle of a larger buffer; whatever surrounds it, the outcome is the same. */
function decode(type: number, payload: Uint8Array): BackendMessage {
  const outcomes = surroundings.map((surrounding) => {
    const bytes = concat([surrounding, payload, surrounding]);
    const before = bytes.slice();
    try {
      return decodeBackendMessage(type, bytes, surrounding.length, surrounding.length + payload.length);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return error;
    } finally {
      assert.deepEqual(bytes, before, "the bytes were written to");
    }
  });
  const [first, ...others] = outcomes;
  if (first instanceof ProtocolError) {
    for (const other of others) assert.equal(other instanceof ProtocolError && other.message, first.message);
    throw first;
  }
  for (const other of others) assert.deepEqual(other, first);
  return first;
}

const cases = backendMessages.map(({ bytes, message, payloadLengths }) => {
  const payload = bytes.subarray(HEADER_LENGTH);
  const { from, to } = payloadLengths ?? { from: payload.length, to: payload.length };
  return { type: bytes[0], payload, message, from, to, shown: `${message.name} ${hex(bytes)}` };
});

test("the cases cover every message of the documentation, and codes.ts has its types", () => {
  const types = BACKEND_TYPES.map((letter) => letter.charCodeAt(0)).sort();
  assert.deepEqual([...new Set(cases.map(({ type }) => type))].sort(), types);
  assert.deepEqual(Object.values(Backend).sort(), types);
});

test("every message decodes to what was written", () => {
  for (const { type, payload, message, shown } of cases) assert.deepEqual(decode(type, payload), message, shown);
});

test("a payload cut short anywhere is refused, unless the message ends in bytes of any number", () => {
  for (const { type, payload, message, from, shown } of cases) {
    for (let length = 0; length < payload.length; length++) {
      const cut = payload.subarray(0, length);
      if (length < from) assert.throws(() => decode(type, cut), malformed, `${length} bytes of ${shown}`);
      else assert.equal(decode(type, cut).name, message.name);
    }
  }
});

test("a payload with any byte too many is refused, unless the message ends in bytes of any number", () => {
  for (const { type, payload, message, to, shown } of cases) {
    for (let byte = 0; byte <= 0xff; byte++) {
      const extended = concat([payload, Uint8Array.of(byte)]);
      if (extended.length > to) assert.throws(() => decode(type, extended), malformed, `${byte} after ${shown}`);
      else assert.equal(decode(type, extended).name, message.name);
    }
  }
});

test("a secret key has 4 to 256 bytes", () => {
  const type = Backend.BackendKeyData;
  for (const length of [0, 3, 257, 1000]) assert.throws(() => decode(type, new Uint8Array(4 + length)), malformed);
  for (const length of [4, 5, 32, 255, 256]) {
    const secretKey = Uint8Array.from({ length }, (_, index) => index);
    assert.deepEqual(decode(type, concat([wire("00000001"), secretKey])), {
      name: "BackendKeyData",
      processId: 1,
      secretKey,
    });
  }
});

const hostile: readonly (readonly [letter: string, payload: string, why: string])[] = [
  ["R", "00000001", "a code that was never given out"],
  ["R", "00000004", "crypt, gone since PostgreSQL 8.4"],
  ["R", "00000006", "SCM credentials, gone since PostgreSQL 9.1"],
  ["R", "0000000d", "the first code after the last"],
  ["R", "ffffffff", "a negative code"],
  ["R", "0000000a 'SCRAM-SHA-256' 00", "a list of mechanisms without its end"],
  ["R", "0000000a 00 'SCRAM-SHA-256' 00 00", "mechanisms after the end of the list"],
  ["C", "'SELECT 1'", "a tag without its end"],
  ["C", "'SELECT' 00 '1' 00", "a NUL in the tag"],
  ["D", "ffff", "65,535 columns in no bytes"],
  ["D", "0002 ffffffff", "two columns, one there"],
  ["D", "0001 fffffffe", "a length of -2"],
  ["D", "0001 80000000", "the most negative length"],
  ["D", "0001 7fffffff 'abc'", "a length past the end"],
  ["D", "0002 00000004 'abc' ffffffff", "a value that reaches into the next length"],
  ["D", "0001 ffffffff 00", "a byte after NULL"],
  ["G", "02 0000", "a third format"],
  ["H", "ff 0000", "format -1"],
  ["W", "00 ffff 0000", "65,535 columns in two bytes"],
  ["t", "ffff 00000017", "65,535 parameters, one there"],
  ["T", "ffff 'id' 00", "65,535 columns in three bytes"],
  ["T", "0001 'name without an end, long enough for a column'", "a name without its end"],
  ["T", "0001 00 00000000 0000 00000017 0004 ffffffff 0002", "a third format"],
  ["T", "0001 00 00000000 0000 00000017 0004 ffffffff ffff", "format -1"],
  ["V", "fffffffe", "a length of -2"],
  ["V", "7fffffff", "a length past the end"],
  ["v", "00030000 ffffffff", "four thousand million options"],
  ["v", "00030000 80000000 00", "a negative number of options"],
  ["v", "00030000 00000002 '_pq_.a' 00", "two options, one there"],
  ["E", "'SERROR' 00 'C'", "a field without its text"],
  ["E", "'SERROR' 00", "no end of the fields"],
  ["N", "'SERROR' 00 00 'C00000' 00 00", "fields after their end"],
  ["Z", "'i'", "a status in lower case"],
  ["Z", "00", "a status of zero"],
  ["Z", "'II'", "two statuses"],
];

test("hostile counts, lengths and codes are refused", () => {
  for (const [letter, payload, why] of hostile) {
    assert.throws(() => decode(letter.charCodeAt(0), wire(payload)), malformed, `${letter} ${payload}: ${why}`);
  }
});

test("a negative length does not move backwards, where other bytes could be read as a length", () => {
  // Six bytes back, the count and half of the length would be the length 0x0002ffff, which leads to the very end.
  const payload = new Uint8Array(4 + 0x0002_ffff);
  payload.set(wire("0002 fffffffa"));
  assert.throws(() => decode(Backend.DataRow, payload), malformed);
});

test("a count that the payload cannot hold is refused before the first item is decoded", () => {
  const counts: readonly (readonly [letter: string, payload: string, message: RegExp])[] = [
    ["D", "ffff 00000000", /DataRow: a count of 65535$/],
    ["D", "0002 ffffffff 000000", /DataRow: a count of 2$/],
    ["G", "00 0002 0000 00", /CopyResponse: a count of 2$/],
    ["t", "0002 00000017 000000", /ParameterDescription: a count of 2$/],
    ["T", "0001 00 00000000 0000 00000017 0004 ffffffff 00", /RowDescription: a count of 1$/],
    ["v", "00030000 ffffffff 00", /NegotiateProtocolVersion: 4294967295 options$/],
    ["v", "00030000 00000002 00", /NegotiateProtocolVersion: 2 options$/],
  ];
  for (const [letter, payload, message] of counts) {
    assert.throws(() => decode(letter.charCodeAt(0), wire(payload)), { ...malformed, message }, `${letter} ${payload}`);
  }
});

test("an error names the message and what is wrong with it, and quotes none of its bytes", () => {
  const cut = wire("'Ssecret' 00 'Msecret'");
  assert.throws(() => decode(Backend.ErrorResponse, cut), {
    message: "the peer sent a malformed ErrorResponse or NoticeResponse: a string without an end",
  });
  assert.throws(() => decode(Backend.BindComplete, wire("0000")), {
    message: "the peer sent a malformed BindComplete: 2 bytes too many",
  });
});

test("a type that no backend sends is refused", () => {
  const known = new Set(BACKEND_TYPES.map((letter) => letter.charCodeAt(0)));
  for (let type = 0; type <= 0xff; type++) {
    if (!known.has(type)) assert.throws(() => decode(type, wire("00000000")), malformed, `type ${type}`);
  }
});

test("counts go up to 65,535: they are not signed", () => {
  const typeIds = Array.from({ length: 65_535 }, (_, index) => index * 65_537);
  const payload = new Uint8Array(2 + typeIds.length * 4);
  const view = new DataView(payload.buffer);
  view.setUint16(0, typeIds.length);
  typeIds.forEach((typeId, index) => view.setUint32(2 + index * 4, typeId));
  assert.deepEqual(decodeBackendMessage(Backend.ParameterDescription, payload, 0, payload.length), {
    name: "ParameterDescription",
    typeIds,
  });
});

test("fields of an error may be missing, unknown or empty, and V outranks S wherever it stands", () => {
  const table: readonly (readonly [payload: string, fields: object])[] = [
    ["00", { severity: "", code: "", message: "" }],
    ["'Mm' 00 00", { severity: "", code: "", message: "m" }],
    ["'VFATAL' 00 'SFATAL ERROR' 00 00", { severity: "FATAL", code: "", message: "" }],
    ["'SFATAL ERROR' 00 'VFATAL' 00 00", { severity: "FATAL", code: "", message: "" }],
    ["'SFATAL ERROR' 00 00", { severity: "FATAL ERROR", code: "", message: "" }],
    ["'D' 00 00", { severity: "", code: "", message: "", detail: "" }],
    ["ff 'x' 00 '_' 00 'Cx' 00 00", { severity: "", code: "x", message: "" }],
  ];
  for (const [payload, fields] of table) {
    assert.deepEqual(decode(Backend.NoticeResponse, wire(payload)), { name: "NoticeResponse", fields }, payload);
  }
});

test("text that is not UTF-8 decodes with U+FFFD, as it comes before the client's encoding is set", () => {
  assert.deepEqual(decode(Backend.CommandComplete, wire("'caf' e9 00")), { name: "CommandComplete", tag: "caf\ufffd" });
});

test("what was decoded does not change when the buffer is used again", () => {
  for (const { type, payload, message, shown } of cases) {
    const bytes = payload.slice();
    const decoded = decodeBackendMessage(type, bytes, 0, bytes.length);
    bytes.fill(0x2a);
    assert.deepEqual(decoded, message, shown);
  }
});

test("a DataRow of any values decodes to them", () => {
  const value = fc.option(fc.uint8Array({ maxLength: 300 }), { nil: null });
  fc.assert(fc.property(fc.array(value, { maxLength: 50 }), (values) => {
    const count = new Uint8Array(2);
    new DataView(count.buffer).setUint16(0, values.length);
    const columns = values.map((value) => {
      const length = new Uint8Array(4);
      new DataView(length.buffer).setInt32(0, value?.length ?? -1);
      return concat([length, value ?? wire("")]);
    });
    assert.deepEqual(decode(Backend.DataRow, concat([count, ...columns])), { name: "DataRow", values });
  }));
});
