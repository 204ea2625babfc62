/**
 * Servers that are broken, or mean ill, at every point of a startup: an error that says what and where, at once; nothing
 * stays open; nothing is given away.
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Client, type ClientConfig, type DriverError } from "../../mod.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { concat, wire } from "../fixtures/bytes.ts";
import {
  type FakeConnection,
  message,
  messages,
  ScramServer,
  type Script,
  startFakeServer,
  WELCOME,
} from "../fixtures/fake_server.ts";
import { assertNoSecret, assertShowsNoSecret } from "../fixtures/secrets.ts";
import { usableTransports } from "../fixtures/transports.ts";

const proxy = await startProxy({ dev: true });
after(() => proxy.close({ drainMillis: 0 }));
const ways = usableTransports(proxy.url);

const PASSWORD = "never to be seen: ä&1";

// -- the same faults at every step

/** A step of a proper startup, after which a server may turn bad. */
interface Step {
  readonly after: string;
  readonly phase: "authentication" | "startup";
  readonly take: (connection: FakeConnection, scram: ScramServer) => Promise<void> | void;
}

const OPENING: readonly Step[] = [
  { after: "the connection opens", phase: "authentication", take: () => {} },
  {
    after: "the StartupMessage",
    phase: "authentication",
    take: async (connection) => {
      await connection.startup();
    },
  },
];

const SCRAM: readonly Step[] = [
  {
    after: "AuthenticationSASL",
    phase: "authentication",
    take: async (connection) => {
      connection.send(messages.sasl("SCRAM-SHA-256"));
      await connection.message();
    },
  },
  {
    after: "AuthenticationSASLContinue",
    phase: "authentication",
    take: async (connection, scram) => {
      connection.send(messages.saslContinue(scram.first(connection.latest).serverFirst));
      await connection.message();
    },
  },
  {
    after: "AuthenticationSASLFinal",
    phase: "authentication",
    take: (connection, scram) => connection.send(messages.saslFinal(scram.final(connection.latest))),
  },
];

const WELCOMING: readonly Step[] = [
  { after: "AuthenticationOk", phase: "startup", take: (connection) => connection.send(messages.authenticationOk) },
  { after: "ParameterStatus", phase: "startup", take: (connection) => connection.send(messages.parameterStatus) },
  { after: "BackendKeyData", phase: "startup", take: (connection) => connection.send(messages.backendKeyData) },
];

interface Fault {
  readonly what: string;
  readonly name: string;
  readonly code: string;
  /** Whether the connection is broken off, of which the operating systems decide what is seen. */
  readonly reset?: boolean;
  readonly strike: (connection: FakeConnection) => void;
}

const FAULTS: readonly Fault[] = [
  {
    what: "closes the connection",
    name: "TransportError",
    code: "CONNECTION_ENDED",
    strike: (connection) => connection.end(),
  },
  {
    what: "resets the connection",
    name: "TransportError",
    code: "TRANSPORT_LOST",
    reset: true,
    strike: (connection) => connection.reset(),
  },
  {
    what: "ends in the middle of a message",
    name: "TransportError",
    code: "CONNECTION_ENDED",
    strike: (connection) => {
      connection.send(wire("'R' 00000008 0000"));
      connection.end();
    },
  },
  {
    what: "talks another protocol",
    name: "ProtocolError",
    code: "PROTOCOL_MESSAGE_LENGTH",
    strike: (connection) => connection.send(wire("'HTTP/1.1 400 Bad Request' 0d0a 0d0a")),
  },
  {
    what: "sends zeros",
    name: "ProtocolError",
    code: "PROTOCOL_MESSAGE_TYPE",
    strike: (connection) => connection.send(new Uint8Array(16)),
  },
  {
    what: "claims a message of 2 GB",
    name: "ProtocolError",
    code: "PROTOCOL_MESSAGE_LENGTH",
    strike: (connection) => connection.send(wire("'S' 7fffffff")),
  },
  {
    what: "claims a message shorter than its length",
    name: "ProtocolError",
    code: "PROTOCOL_MESSAGE_LENGTH",
    strike: (connection) => connection.send(wire("'S' 00000003")),
  },
  {
    what: "sends a message that ends too soon",
    name: "ProtocolError",
    code: "PROTOCOL_MALFORMED",
    strike: (connection) => connection.send(wire("'R' 00000006 0000")),
  },
  {
    what: "asks for an authentication that nobody knows",
    name: "ProtocolError",
    code: "PROTOCOL_MALFORMED",
    strike: (connection) => connection.send(wire("'R' 00000008 000000ff")),
  },
  {
    what: "sends a row that nobody asked for",
    name: "ProtocolError",
    code: "PROTOCOL_UNEXPECTED_MESSAGE",
    strike: (connection) => connection.send(messages.dataRow),
  },
  {
    what: "asks for COPY data",
    name: "ProtocolError",
    code: "PROTOCOL_UNEXPECTED_MESSAGE",
    strike: (connection) => connection.send(message("G", wire("00 0000"))),
  },
  {
    what: "reports a fatal error",
    name: "error",
    code: "57P01",
    strike: (connection) => {
      connection.send(messages.error("57P01", "terminating connection due to administrator command"));
      connection.end();
    },
  },
];

const STARTUPS: readonly [string, ClientConfig, readonly Step[]][] = [
  ["without authentication", {}, [...OPENING, ...WELCOMING]],
  ["by SCRAM, spoken to first", { password: PASSWORD }, [...OPENING, ...SCRAM, ...WELCOMING]],
  ["by SCRAM, speaking first", { password: PASSWORD, speakFirst: false }, [...OPENING, ...SCRAM, ...WELCOMING]],
];

for (const { name, transport, config: way } of ways) {
  for (const [how, options, steps] of STARTUPS) {
    for (const { what, strike, reset = false, ...expected } of FAULTS) {
      test(`by a ${name}, a server ${what} at any step of a startup ${how}`, async () => {
        for (const [at, { after, phase }] of steps.entries()) {
          if (reset && at === 0) continue; // the opening itself may fail then
          const error = await failureOf({ ...options, ...way }, async (connection) => {
            const scram = new ScramServer(PASSWORD);
            for (const { take } of steps.slice(0, at + 1)) await take(connection, scram);
            strike(connection);
          });
          const { name, driverCode: code } = error;
          if (reset && code === "CONNECTION_ENDED") continue; // the system ended it before
          assert.deepEqual({ name, code, transport: error.transport }, { ...expected, transport }, after);
          if (!reset) assert.equal(error.phase, phase, after); // it may overtake what was sent
        }
      });
    }
  }
}

// -- faults of one step

interface TrickCase {
  readonly what: string;
  readonly name?: "AuthenticationError" | "ProtocolError";
  readonly code: string;
  readonly script: (connection: FakeConnection, scram: ScramServer) => Promise<void> | void;
}

/** Tricks with the first message that a client is asked to answer. */
const REQUESTS: readonly TrickCase[] = [
  {
    what: "offers no mechanism that is known",
    code: "AUTH_MECHANISM_UNSUPPORTED",
    script: (connection) => connection.send(messages.sasl("SCRAM-SHA-512", "OAUTHBEARER")),
  },
  {
    what: "offers no mechanism at all",
    code: "AUTH_MECHANISM_UNSUPPORTED",
    script: (connection) => connection.send(messages.sasl()),
  },
  {
    what: "asks for Kerberos",
    code: "AUTH_METHOD_UNSUPPORTED",
    script: (connection) => connection.send(message("R", wire("00000007"))),
  },
  {
    what: "asks for the password in clear text",
    code: "AUTH_CLEARTEXT_REFUSED",
    script: (connection) => connection.send(messages.cleartextPassword),
  },
  {
    what: "sends a message of 64 KiB before it has authenticated anybody",
    name: "ProtocolError",
    code: "PROTOCOL_MESSAGE_LENGTH",
    script: (connection) => connection.send(message("N", new Uint8Array(65_536))),
  },
  {
    what: "is ready before it has authenticated anybody",
    name: "ProtocolError",
    code: "PROTOCOL_UNEXPECTED_MESSAGE",
    script: (connection) => connection.send(messages.readyForQuery),
  },
  {
    what: "continues a SCRAM exchange that nobody began",
    name: "ProtocolError",
    code: "PROTOCOL_UNEXPECTED_MESSAGE",
    script: (connection) => connection.send(messages.saslContinue("r=x,s=AAAA,i=4096")),
  },
];

const firstWith = (change: (serverFirst: string) => string): TrickCase["script"] => (connection, scram) =>
  connection.send(messages.saslContinue(change(scram.first(connection.latest).serverFirst)));

/** Tricks with the answer to the client's first SCRAM message. */
const CONTINUATIONS: readonly TrickCase[] = [
  {
    what: "answers with a nonce of its own",
    code: "AUTH_SCRAM_NONCE",
    script: firstWith((serverFirst) => serverFirst.replace(/^r=[^,]*/, "r=another")),
  },
  {
    what: "answers with the client's nonce alone",
    code: "AUTH_SCRAM_NONCE",
    script: firstWith((serverFirst) => serverFirst.replace("server,", ",")),
  },
  {
    what: "wants two billion iterations",
    code: "AUTH_SCRAM_ITERATIONS",
    script: firstWith((serverFirst) => serverFirst.replace("i=4096", "i=2000000000")),
  },
  {
    what: "wants no iterations",
    code: "AUTH_SCRAM_MALFORMED",
    script: firstWith((serverFirst) => serverFirst.replace("i=4096", "i=0")),
  },
  {
    what: "salts with what is not base64",
    code: "AUTH_SCRAM_MALFORMED",
    script: firstWith((serverFirst) => serverFirst.replace(/s=[^,]*/, "s=!")),
  },
  {
    what: "demands an extension",
    code: "AUTH_SCRAM_MALFORMED",
    script: firstWith((serverFirst) => `m=must,${serverFirst}`),
  },
  {
    what: "would rather have the password in clear text",
    name: "ProtocolError",
    code: "PROTOCOL_UNEXPECTED_MESSAGE",
    script: (connection) => connection.send(messages.cleartextPassword),
  },
  {
    what: "lets the client in at once",
    name: "ProtocolError",
    code: "PROTOCOL_UNEXPECTED_MESSAGE",
    script: (connection) => connection.send(messages.authenticationOk, ...WELCOME),
  },
];

const finalWith = (change: (serverFinal: string) => string): TrickCase["script"] => (connection, scram) => {
  const final = messages.saslFinal(change(scram.final(connection.latest)));
  connection.send(final, messages.authenticationOk, ...WELCOME);
};

/** Tricks with the server's proof that it knows the password. */
const PROOFS: readonly TrickCase[] = [
  {
    what: "signs with another key",
    code: "AUTH_SCRAM_SERVER_SIGNATURE",
    script: finalWith(() => `v=${btoa("\0".repeat(32))}`),
  },
  { what: "signs with too little", code: "AUTH_SCRAM_MALFORMED", script: finalWith(() => "v=AAAA") },
  { what: "signs with what is not base64", code: "AUTH_SCRAM_MALFORMED", script: finalWith(() => "v=!") },
  { what: "ends the exchange", code: "AUTH_SCRAM_SERVER_ERROR", script: finalWith(() => "e=other-error") },
  {
    what: "lets the client in without a proof",
    code: "AUTH_SCRAM_UNPROVEN",
    script: (connection) => connection.send(messages.authenticationOk, ...WELCOME),
  },
  {
    what: "begins anew",
    name: "ProtocolError",
    code: "PROTOCOL_UNEXPECTED_MESSAGE",
    script: (connection) => connection.send(messages.sasl("SCRAM-SHA-256")),
  },
  {
    what: "is ready without letting the client in",
    name: "ProtocolError",
    code: "PROTOCOL_UNEXPECTED_MESSAGE",
    script: (connection) => connection.send(messages.readyForQuery),
  },
];

const TRICKS: readonly [readonly Step[], readonly TrickCase[]][] = [
  [OPENING, REQUESTS],
  [[...OPENING, SCRAM[0]], CONTINUATIONS],
  [[...OPENING, SCRAM[0], SCRAM[1]], PROOFS],
];

for (const [steps, tricks] of TRICKS) {
  const { after } = steps[steps.length - 1];
  for (const { what, name = "AuthenticationError", code, script } of tricks) {
    test(`a server that after ${after} ${what}`, async () => {
      for (const speakFirst of [true, false]) {
        const error = await failureOf({ password: PASSWORD, speakFirst }, async (connection) => {
          const scram = new ScramServer(PASSWORD);
          for (const { take } of steps) await take(connection, scram);
          await script(connection, scram);
        });
        assert.deepEqual([error.name, error.code, error.phase], [name, code, "authentication"]);
      }
    });
  }
}

test("a message that never ends is not gathered without end", async () => {
  const error = await failureOf({}, async (connection) => {
    await connection.startup();
    connection.send(wire("'N' 0000ffff"), concat(Array.from({ length: 64 }, () => new Uint8Array(1024))));
  });
  assert.equal(error.code, "PROTOCOL_MALFORMED");
});

test("run-time parameters are not gathered without end", async () => {
  const error = await failureOf({}, async (connection) => {
    await connection.startup();
    const parameters = Array.from({ length: 300 }, (_, index) => message("S", wire(`'parameter ${index}' 00 'x' 00`)));
    connection.send(messages.authenticationOk, concat(parameters));
  });
  assert.equal(error.code, "PROTOCOL_PARAMETERS");
});

/** How a client, and a query that was given before, fail against a server that follows the script. */
async function failureOf(options: ClientConfig, script: Script): Promise<DriverError> {
  await using server = await startFakeServer(script);
  const { host, port } = server;
  const client = new Client({ host, port, user: "victim", sslmode: "disable", query_timeout: 10_000, ...options });
  const ends: unknown[] = [];
  client.on("error", (error) => ends.push(error));
  const [connect, query] = await Promise.allSettled([client.connect(), client.query("SELECT 1")]);
  assert.equal(connect.status, "rejected");
  const error = (connect as PromiseRejectedResult).reason;
  assert.equal(query.status === "rejected" && query.reason, error, "the query fails as the connect does");
  assert.deepEqual(ends, [], "a connect that fails says so by its promise alone");
  assert.deepEqual([error.host, error.port], [host, port]);
  assert.ok(error.transport !== undefined && error.phase !== undefined);
  // Words of the server's or of node-postgres's are the message alone; the latter have our hint.
  if (error.name !== "error" && error.hint === undefined) {
    assert.match(error.message, new RegExp(`\\[${host}:${port} via ${error.transport}, during`));
  }
  assertNoSecret(error, [PASSWORD]);
  assertShowsNoSecret(client, [PASSWORD]);
  await server.idle();
  return error;
}
