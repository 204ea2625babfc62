/**
 * Servers that turn bad once they have let the client in: whoever waits hears of it, nobody is heard twice, and what is
 * asked for afterwards does not wait for ever.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, type DriverError } from "../../mod.ts";
import { concat, wire } from "../fixtures/bytes.ts";
import { rejection } from "../fixtures/clients.ts";
import {
  type FakeConnection,
  type FakeServer,
  message,
  messages,
  startFakeServer,
  WELCOME,
} from "../fixtures/fake_server.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const times = (count: number, part: Uint8Array) => concat(Array.from({ length: count }, () => part));

const ready = messages.readyForQuery;
const columns = message("T", concat([wire("0001"), utf8("n\0"), wire("00000000 0000 00000017 0004 ffffffff 0000")]));
const row = message("D", wire("0001 00000001 '7'"));
const complete = message("C", utf8("SELECT 1\0"));
const answer = concat([columns, row, complete, ready]);
const error = message("E", utf8("SERROR\0VERROR\0C42601\0Mno\0\0"));
const fatal = messages.error("57P01", "terminating connection due to administrator command");
const notification = message("A", concat([wire("00000001"), utf8("channel\0payload\0")]));

/** Connects a client to a server that strikes once it is asked, or at once. */
async function struck(
  server: FakeServer,
  config: { query_timeout?: number } = {},
): Promise<{ client: Client; errors: string[]; over: Promise<unknown> }> {
  const { host, port } = server;
  const client = new Client({ host, port, user: "u", database: "d", ssl: false, ...config });
  const errors: string[] = [];
  client.on("error", (error: DriverError) => errors.push(error.driverCode));
  const over = new Promise((resolve) => client.once("end", resolve)); // events.once() would reject for `error`
  await client.connect();
  return { client, errors, over };
}

const startServer = (strike: (connection: FakeConnection) => void, asked: boolean) =>
  startFakeServer(async (connection, number) => {
    if (number > 0) return; // who asks to cancel
    await connection.startup();
    connection.send(messages.authenticationOk, ...WELCOME);
    if (asked) await connection.message();
    strike(connection);
  });

const breaking: readonly (readonly [what: string, parts: Uint8Array, code: string])[] = [
  ["CopyBothResponse", message("W", wire("00 0000")), "PROTOCOL_UNEXPECTED_MESSAGE"],
  ["a request for a password", messages.cleartextPassword, "PROTOCOL_UNEXPECTED_MESSAGE"],
  ["another key", messages.backendKeyData, "PROTOCOL_UNEXPECTED_MESSAGE"],
  ["another version", message("v", wire("00030000 00000000")), "PROTOCOL_UNEXPECTED_MESSAGE"],
  ["FunctionCallResponse", message("V", wire("ffffffff")), "PROTOCOL_UNEXPECTED_MESSAGE"],
  ["ParseComplete", message("1"), "PROTOCOL_UNEXPECTED_MESSAGE"],
  ["a row without columns", concat([row, complete, ready]), "PROTOCOL_UNEXPECTED_MESSAGE"],
  ["more values than columns", concat([columns, message("D", wire("0002 ffffffff ffffffff"))]), "PROTOCOL_MALFORMED"],
  ["a value beyond its row", concat([columns, message("D", wire("0001 7fffffff"))]), "PROTOCOL_MALFORMED"],
  ["more columns than there are", message("T", wire("ffff")), "PROTOCOL_MALFORMED"],
  ["a status that is none", message("Z", utf8("X")), "PROTOCOL_MALFORMED"],
  ["an error without an end", message("E", utf8("SERROR\0")), "PROTOCOL_MALFORMED"],
  ["a length that is none", wire("'D' 00000003"), "PROTOCOL_MESSAGE_LENGTH"],
  ["a length beyond all", wire("'D' 40000000"), "PROTOCOL_MESSAGE_LENGTH"],
  ["a type that is none", wire("'!' 00000004"), "PROTOCOL_MESSAGE_TYPE"],
];

for (const [what, parts, code] of breaking) {
  test(`${what} in an answer breaks the connection, and is told to all who wait, once`, async () => {
    await using server = await startServer((connection) => connection.send(parts), true);
    const { client, errors, over } = await struck(server);
    const failures = await Promise.all([rejection(client.query("select 1")), rejection(client.query("select 2"))]);
    assert.deepEqual(failures.map((failure) => (failure as DriverError).driverCode), [code, code]);
    await over;
    assert.deepEqual(errors, [code]);
    assert.equal((await rejection(client.query("select 3")) as DriverError).code, "CLIENT_BROKEN");
    await server.idle();
  });
}

test("what nobody asked for breaks an idle connection", async () => {
  for (const parts of [ready, row, answer, message("G", wire("00 0000"))]) {
    await using server = await startServer((connection) => connection.send(parts), false);
    const { errors, over } = await struck(server);
    await over;
    assert.deepEqual(errors, ["PROTOCOL_UNEXPECTED_MESSAGE"]);
    await server.idle();
  }
});

test("floods of what may come at any time are taken as they come", async () => {
  for (const part of [messages.notice, messages.parameterStatus, notification]) {
    const flood = times(20_000, part);
    await using server = await startServer((connection) => connection.send(flood, answer), true);
    const { client } = await struck(server);
    assert.deepEqual((await client.query("select 7 as n")).rows, [{ n: 7 }]);
    await client.end();
  }
});

test("a server that says it ends the connection, and does not, is not waited for", async () => {
  await using server = await startServer((connection) => connection.send(fatal), true);
  const { client, errors, over } = await struck(server);
  const [asked, behind] = [client.query("select 1"), client.query("select 2")].map(rejection);
  assert.equal((await asked as DriverError).code, "57P01");
  assert.equal((await behind as DriverError).driverCode, "CONNECTION_ENDED");
  await over;
  assert.deepEqual(errors, ["CONNECTION_ENDED"]);
  await server.idle();
});

test("nor is one that says so to an idle client", async () => {
  await using server = await startServer((connection) => connection.send(fatal), false);
  const { client, errors, over } = await struck(server);
  await over;
  assert.deepEqual(errors, ["57P01"]);
  assert.equal((await rejection(client.query("select 1")) as DriverError).code, "CLIENT_BROKEN");
  await server.idle();
});

test("silence after an error, or in the middle of an answer, has the query's deadline", async () => {
  const cases = [[error, "42601"], [concat([columns, row]), "TIMEOUT_QUERY"], [wire("'D' 3fffffff"), "TIMEOUT_QUERY"]];
  for (const [parts, code] of cases as [Uint8Array, string][]) {
    await using server = await startServer((connection) => connection.send(parts), true);
    const { client, over } = await struck(server, { query_timeout: 50 });
    assert.equal((await rejection(client.query("select 1")) as DriverError).code, code);
    await client.end();
    await over;
    await server.idle();
  }
});

test("a server that asks for COPY data again and again is refused each time, and the query fails", async () => {
  const strike = (connection: FakeConnection) =>
    connection.send(times(1_000, message("G", wire("00 0000"))), error, ready);
  await using server = await startServer(strike, true);
  const { client } = await struck(server);
  assert.equal((await rejection(client.query("select 1")) as DriverError).code, "42601");
  await client.end();
});
