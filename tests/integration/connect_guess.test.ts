/**
 * Speaking first is a guess. Where it is wrong there is one repetition without it, which nobody notices, and a lesson
 * for the next time.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type AuthMethod, Client, type ClientConfig } from "../../mod.ts";
import { rememberedLogin } from "../../src/session/method_memory.ts";
import { type FakeConnection, messages, serveScram, startFakeServer, WELCOME } from "../fixtures/fake_server.ts";
import { connectionUrl, DATABASE, type UserName } from "../fixtures/postgres.ts";
import { startRelay } from "../fixtures/relay.ts";
import { servers } from "../fixtures/servers.ts";
import { usableSockets } from "../fixtures/transports.ts";

const { postgres, certificates } = await servers();

const USER = "guesser";
const PASSWORD = "guessed right";
const TLS: ClientConfig = { sslmode: "verify-full", rootCerts: certificates.ca.cert };

const OTHER_METHODS: readonly [UserName, AuthMethod][] = [
  ["trust_user", "none"],
  ["password_user", "password"],
  ["md5_user", "md5"],
];

for (const [user, method] of OTHER_METHODS) {
  test(`PostgreSQL wants another method (${method}): one repetition, then none`, async () => {
    await using relay = await startRelay({ target: postgres });
    const url = connectionUrl(relay, user, method === "none" ? { password: "unwanted" } : {});
    assert.equal(await connectToPostgres(url), user);
    assert.equal(relay.connections.length, 2);
    assert.deepEqual(remembered(relay, user), { method, politely: false });
    assert.equal(await connectToPostgres(url), user);
    assert.equal(relay.connections.length, 3);
  });
}

test("a method that was remembered and has changed since is learnt anew", async () => {
  const openings: boolean[] = [];
  await using server = await startFakeServer(async (connection, number) => {
    await connection.startup();
    openings.push(connection.hasMore);
    if (number >= 2) return await serveScram(connection, PASSWORD);
    connection.send(messages.md5Password);
    await connection.message();
    connection.send(messages.authenticationOk, ...WELCOME);
  });
  for (const method of ["md5", "scram-sha-256", "scram-sha-256"]) {
    await connectTo(server);
    assert.deepEqual(remembered(server), { method, politely: false });
  }
  const [guess, repetition, asMd5, guessAgain] = [true, false, false, true];
  assert.deepEqual(openings, [guess, repetition, asMd5, guessAgain]);
});

/** How a server, or a pooler, that must not be spoken to first may take it. */
const DISLIKES: readonly [string, (connection: FakeConnection) => void][] = [
  ["closes the connection", (connection) => connection.end()],
  ["resets the connection", (connection) => connection.reset()],
  ["reports a protocol violation", (connection) => {
    connection.send(messages.error("08P01", "bad packet header"));
    connection.end();
  }],
  ["answers with nonsense", (connection) => connection.send(new Uint8Array(8))],
];

for (const [how, dislike] of DISLIKES) {
  test(`a server that ${how} when it is spoken to first is asked politely from then on`, async () => {
    await using server = await startFakeServer(async (connection) => {
      await connection.startup();
      if (connection.hasMore) return dislike(connection);
      await serveScram(connection, PASSWORD);
    });
    for (const accepted of [2, 3]) {
      await connectTo(server);
      assert.equal(server.accepted, accepted);
      assert.deepEqual(remembered(server), { method: "scram-sha-256", politely: true });
    }
    await server.idle();
  });
}

test("what a server that cannot serve us says at once is reported at once", async () => {
  for (const code of ["53300", "57P03", "28000"]) {
    await using server = await startFakeServer(async (connection) => {
      await connection.startup();
      connection.send(messages.error(code, "not now"));
      connection.end();
    });
    await assert.rejects(connectTo(server), { name: "error", code, message: "not now", phase: "authentication" });
    assert.equal(server.accepted, 1, code);
    assert.equal(remembered(server), undefined, code);
  }
});

test("the repetition does not guess again, and its failure is final", async () => {
  const openings: boolean[] = [];
  await using server = await startFakeServer(async (connection) => {
    await connection.startup();
    openings.push(connection.hasMore);
    connection.end();
  });
  await assert.rejects(connectTo(server), { driverCode: "CONNECTION_ENDED" });
  assert.deepEqual(openings, [true, false]);
  assert.equal(remembered(server), undefined);
});

const NOT_GUESSING: readonly [string, ClientConfig][] = [
  ["without a password", { password: undefined }],
  ["with speakFirst: false", { speakFirst: false }],
  ["where require_auth forbids SCRAM", { requireAuth: "!scram-sha-256" }],
  ["where channel binding is required and there is no TLS", { channelBinding: "require" }],
];

for (const [when, options] of NOT_GUESSING) {
  test(`nothing is guessed ${when}`, async () => {
    const openings: boolean[] = [];
    await using server = await startFakeServer(async (connection) => {
      await connection.startup();
      openings.push(connection.hasMore);
      connection.end();
    });
    await assert.rejects(connectTo(server, options), { driverCode: "CONNECTION_ENDED" });
    assert.deepEqual(openings, [false]);
  });
}

const BOUND = "SCRAM-SHA-256-PLUS p=tls-server-end-point,,";
const COULD_BE_BOUND = "SCRAM-SHA-256 y,,";
const UNBOUND = "SCRAM-SHA-256 n,,";

const PLAIN_ONLY = ["SCRAM-SHA-256"];
const BOTH = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"];

interface OfferCase {
  readonly what: string;
  /** What the server offers to its connections; the last offer stays. */
  readonly offers: readonly (readonly string[])[];
  /** How the connections are opened where the TLS shows the server's certificate, and where it does not. */
  readonly bindable: readonly string[];
  readonly unbindable: readonly string[];
}

const OFFERS: readonly OfferCase[] = [
  {
    what: "offers no binding",
    offers: [PLAIN_ONLY],
    bindable: [BOUND, COULD_BE_BOUND, COULD_BE_BOUND, COULD_BE_BOUND],
    unbindable: [UNBOUND, UNBOUND, UNBOUND],
  },
  {
    what: "offers binding",
    offers: [BOTH],
    bindable: [BOUND, BOUND, BOUND],
    unbindable: [UNBOUND, UNBOUND, UNBOUND],
  },
  {
    what: "comes to offer binding after the first login",
    offers: [PLAIN_ONLY, PLAIN_ONLY, BOTH],
    bindable: [BOUND, COULD_BE_BOUND, COULD_BE_BOUND, BOUND, BOUND],
    unbindable: [UNBOUND, UNBOUND, UNBOUND],
  },
];

for (const { name, bindable, config: way } of usableSockets()) {
  for (const { what, offers, ...openings } of OFFERS) {
    test(`by a ${name}, three logins in TLS to a server that ${what}`, async () => {
      const seen: string[] = [];
      await using server = await startFakeServer(async (connection, number) => {
        await connection.secure(certificates.server);
        await connection.startup();
        const offer = offers[number] ?? offers[offers.length - 1];
        await serveScram(connection, PASSWORD, offer, (opening) => seen.push(opening));
      });
      for (let login = 0; login < 3; login++) await connectTo(server, { ...TLS, ...way });
      const expected = bindable ? openings.bindable : openings.unbindable;
      assert.deepEqual(seen, expected);
      const method = expected[expected.length - 1] === BOUND ? "scram-sha-256-plus" : "scram-sha-256";
      assert.deepEqual(remembered(server, USER, true), { method, politely: false });
    });
  }

  test(`by a ${name}, PostgreSQL is bound to again after a login that was not to be`, {
    skip: !bindable && "its TLS does not show the server's certificate",
  }, async () => {
    await using relay = await startRelay({ target: postgres });
    const url = connectionUrl(relay, "scram_user");
    const methods = [];
    for (const channelBinding of ["disable", "prefer", "prefer"] as const) {
      await connectToPostgres(url, { ...TLS, ...way, channelBinding });
      methods.push([remembered(relay, "scram_user", true)?.method, relay.connections.length]);
    }
    const plus = "scram-sha-256-plus";
    assert.deepEqual(methods, [["scram-sha-256", 1], [plus, 3], [plus, 4]]);
  });
}

test("binding that is offered outside TLS is not believed, whether or not the client spoke first", async () => {
  for (const speakFirst of [true, false]) {
    await using server = await startFakeServer(async (connection) => {
      await connection.startup();
      await serveScram(connection, PASSWORD, BOTH);
    });
    await assert.rejects(connectTo(server, { speakFirst }), { code: "AUTH_CHANNEL_BINDING_UNENCRYPTED" });
    assert.equal(server.accepted, 1);
  }
});

interface Address {
  readonly host: string;
  readonly port: number;
}

function remembered({ host, port }: Address, user: string = USER, encrypted = false) {
  return rememberedLogin({ host, port, user, database: DATABASE, encrypted });
}

/** Logs in to a server that is not PostgreSQL, and leaves. */
async function connectTo({ host, port }: Address, options: ClientConfig = {}): Promise<void> {
  const address = { host, port, user: USER, database: DATABASE };
  const client = new Client({ ...address, password: PASSWORD, sslmode: "disable", ...options });
  await client.connect();
  await client.end();
}

/** Logs in to PostgreSQL and leaves; who one was there. */
async function connectToPostgres(connectionString: string, options: ClientConfig = {}): Promise<string> {
  const client = new Client({ connectionString, allowCleartextPassword: true, ...options });
  await client.connect();
  const { rows } = await client.query("SELECT current_user AS name");
  await client.end();
  return rows[0].name;
}
