/** Authentication by a bearer token: with PostgreSQL 18, and with servers that do what it never would. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Client, type ClientConfig, type OAuthRequest, Pool } from "../../mod.ts";
import { deferred } from "../../src/duplex/waiting.ts";
import { oauthInitialResponse, oauthRefused } from "../../src/auth/oauth.ts";
import { wire } from "../fixtures/bytes.ts";
import { certificates } from "../fixtures/certificates.ts";
import { rejection } from "../fixtures/clients.ts";
import { message, messages, type Script, startFakeServer, WELCOME } from "../fixtures/fake_server.ts";
import { ISSUER, SCOPE, startOAuthPostgres, withoutOAuth } from "../fixtures/oauth.ts";
import { DATABASE, PASSWORDS } from "../fixtures/postgres.ts";
import { assertNoSecret, assertShowsNoSecret } from "../fixtures/secrets.ts";

const { ca, server: credentials } = await certificates();
const tls = { ssl: { ca: ca.cert, servername: "localhost" } };
const TOKEN = "token-of-scram_user";

// -- the messages, byte by byte

test("a token's message, and what is no token", () => {
  assert.deepEqual(
    oauthInitialResponse("abc.DEF-123_~+/=="),
    wire("'n,,' 01 'auth=Bearer abc.DEF-123_~+/==' 01 01"),
  );
  for (const token of ["", "=", "a b", "a\x01b", "tökén", "a=b", "a\n"]) {
    assert.throws(() => oauthInitialResponse(token), { code: "AUTH_OAUTH_TOKEN" }, JSON.stringify(token));
  }
});

test("a refusal's JSON, of whatever kind", () => {
  const refused = (json: string) => oauthRefused(new TextEncoder().encode(json));
  const { code, message, hint } = refused(
    '{"status":"invalid_token","openid-configuration":"https://i.example/.well-known/openid-configuration","scope":"a b"}',
  );
  assert.equal(code, "AUTH_OAUTH_REFUSED");
  assert.match(message, /^the server refused the OAuth token: invalid_token \[/);
  assert.equal(
    hint,
    'It wants a token by the issuer that https://i.example/.well-known/openid-configuration describes with the scope "a b".',
  );
  const malformed = [
    "",
    "{",
    "null",
    "[]",
    '"invalid"',
    '{"status":7}',
    '{"status":"a\\u001bb"}',
    `{"status":"${"x".repeat(301)}"}`,
  ];
  for (const json of malformed) {
    assert.match(refused(json).message, /^the server refused the OAuth token \[/, json);
    assert.equal(refused(json).hint, "See the server's log.");
  }
});

// -- PostgreSQL 18

const oauth = withoutOAuth ? undefined : await startOAuthPostgres();
after(async () => await oauth?.stop());

const place = (config: ClientConfig = {}): ClientConfig => ({
  ...{ host: oauth?.host, port: oauth?.port, database: DATABASE, user: "scram_user" },
  ...tls,
  ...config,
});

async function connectAs(config: ClientConfig): Promise<string> {
  const client = await new Client(config).connect();
  const { rows } = await client.query("select current_user || ' by ' || system_user as who");
  await client.end();
  return rows[0].who;
}

const WHO = "scram_user by oauth:scram_user";

test("a token, or a function's, logs in", { skip: withoutOAuth }, async () => {
  assert.equal(await connectAs(place({ oauthBearerToken: TOKEN })), WHO);
  const requests: Omit<OAuthRequest, "signal">[] = [];
  const oauthBearerToken = ({ signal, ...request }: OAuthRequest) => {
    assert.equal(signal.aborted, false);
    requests.push(request);
    return Promise.resolve(TOKEN);
  };
  await using pool = new Pool({ ...place({ oauthBearerToken }), max: 2 });
  await Promise.all([1, 2, 3].map(() => pool.query("select pg_sleep(0.01)")));
  const { host, port } = oauth ?? {};
  assert.deepEqual(requests[0], { host, port, user: "scram_user", database: DATABASE });
  assert.equal(requests.length, 2, "each connect asks");
  assert.equal(await connectAs(place({ oauthBearerToken, require_auth: "oauth" })), WHO);
});

test("a query that is given before leaves with the token, and a password beside it does no harm", {
  skip: withoutOAuth,
}, async () => {
  const client = new Client(place({ oauthBearerToken: TOKEN, password: PASSWORDS.scram_user }));
  const early = client.query("select 1 as n");
  await client.connect();
  assert.deepEqual((await early).rows, [{ n: 1 }]);
  await client.end();
});

test("a token beside a server that wants a password is not sent", { skip: withoutOAuth }, async () => {
  let asked = false;
  const oauthBearerToken = () => {
    asked = true;
    return TOKEN;
  };
  const config = place({ user: "plain_only_user", password: PASSWORDS.plain_only_user, oauthBearerToken });
  assert.equal(await connectAs(config), "plain_only_user by scram-sha-256:plain_only_user");
  assert.equal(asked, false);
});

test("over a Unix-domain socket the token needs no TLS", {
  skip: withoutOAuth || (oauth?.socketFolder === undefined && "there are none"),
}, async () => {
  const { host: _, ...rest } = place({ oauthBearerToken: TOKEN, ssl: false });
  assert.equal(await connectAs({ ...rest, host: oauth?.socketFolder }), WHO);
});

test("a token that the server refuses: its own words, whose token it wants, and nothing of the token", {
  skip: withoutOAuth,
}, async () => {
  for (const oauthBearerToken of ["token-of-somebody", "token-of-scram_user2"]) {
    const client = new Client(place({ oauthBearerToken }));
    const error = await rejection(client.connect()) as Error & Record<string, unknown>;
    assert.deepEqual([error.name, error.code], ["AuthenticationError", "AUTH_OAUTH_REFUSED"]);
    assert.match(error.message, /^the server refused the OAuth token: invalid_token \[/);
    assert.ok(String(error.hint).includes(`${ISSUER}/.well-known/openid-configuration`));
    assert.ok(String(error.hint).includes(SCOPE));
    assert.match((error.cause as Error).message, /OAuth bearer authentication failed for user "scram_user"/);
    assertNoSecret(error, [oauthBearerToken]);
    assertShowsNoSecret(client, [oauthBearerToken]);
  }
});

test("without a token, with one that is none, or where it must not be used: refused before anything is sent", {
  skip: withoutOAuth,
}, async () => {
  const failing = () => Promise.reject(new Error("the issuer is down"));
  const cases: readonly (readonly [config: ClientConfig, code: string, message?: RegExp])[] = [
    [{}, "AUTH_MECHANISM_UNSUPPORTED", /set oauthBearerToken/],
    [{ password: "p" }, "AUTH_MECHANISM_UNSUPPORTED", /set oauthBearerToken/],
    [{ oauthBearerToken: "no token" }, "AUTH_OAUTH_TOKEN"],
    [{ oauthBearerToken: failing }, "AUTH_OAUTH_FUNCTION"],
    [{ oauthBearerToken: () => 7 as never }, "AUTH_OAUTH_FUNCTION"],
    [{ oauthBearerToken: TOKEN, ssl: false }, "AUTH_OAUTH_INSECURE", /verified TLS/],
    [{ oauthBearerToken: TOKEN, require_auth: "scram-sha-256" }, "AUTH_METHOD_REFUSED", /oauth/],
    [{ oauthBearerToken: TOKEN, require_auth: "!oauth" }, "AUTH_METHOD_REFUSED", /oauth/],
    [{ oauthBearerToken: TOKEN, channel_binding: "require" }, "AUTH_CHANNEL_BINDING_REQUIRED"],
  ];
  for (const [config, code, words = /./] of cases) {
    await assert.rejects(connectAs(place(config)), { name: "AuthenticationError", code, message: words }, code);
  }
});

test("a token is asked for within the connect's time", { skip: withoutOAuth }, async () => {
  const asked = deferred<OAuthRequest>();
  const never = (request: OAuthRequest) => {
    asked.resolve(request);
    return new Promise<string>(() => {});
  };
  await assert.rejects(connectAs(place({ oauthBearerToken: never, connectionTimeoutMillis: 2000 })), {
    code: "TIMEOUT_CONNECT",
  });
  assert.ok((await asked.promise).signal.aborted);
});

// -- other servers

const SASL_CONTINUE = wire("0000000b");

async function againstServer(after: Script, config: ClientConfig = {}): Promise<unknown> {
  await using server = await startFakeServer(async (connection, number) => {
    await connection.secure(credentials);
    await connection.startup();
    await after(connection, number);
  });
  const { host, port } = server;
  return await rejection(new Client({ host, port, user: "u", oauthBearerToken: "abc", ...tls, ...config }).connect());
}

test("the token goes in one message, and a refusal is answered with one byte", async () => {
  const heard: unknown[] = [];
  const error = await againstServer(async (connection) => {
    connection.send(messages.sasl("OAUTHBEARER"));
    heard.push(await connection.message());
    connection.send(message("R", wire("0000000b '{}'")));
    heard.push(await connection.message());
    connection.end();
  });
  assert.deepEqual(heard, [
    { type: "p", payload: wire("'OAUTHBEARER' 00 00000015 'n,,' 01 'auth=Bearer abc' 01 01") },
    { type: "p", payload: wire("01") },
  ]);
  const { code, cause } = error as { code: string; cause: { driverCode: string } };
  assert.deepEqual([code, cause.driverCode], ["AUTH_OAUTH_REFUSED", "CONNECTION_ENDED"]);
});

test("a server that goes on after its refusal, or continues what is over, is not believed", async () => {
  const afterRefusal = async (connection: Parameters<Script>[0], ...then: Uint8Array[]) => {
    connection.send(messages.sasl("OAUTHBEARER"));
    await connection.message();
    connection.send(message("R", SASL_CONTINUE));
    await connection.message();
    connection.send(...then);
  };
  for (
    const then of [[messages.authenticationOk, ...WELCOME], [message("R", SASL_CONTINUE)], [messages.saslFinal("x")]]
  ) {
    const error = await againstServer((connection) => afterRefusal(connection, ...then));
    assert.equal((error as { code: string }).code, "PROTOCOL_UNEXPECTED_MESSAGE");
  }
});

test("a token is never sent where the certificate is not verified", async () => {
  let said = "";
  const error = await againstServer(async (connection) => {
    connection.send(messages.sasl("OAUTHBEARER"));
    said = await connection.message().then(({ type }) => type, () => "nothing");
  }, { ssl: { rejectUnauthorized: false }, ...("Deno" in globalThis ? { tlsEngine: "wolfssl" as const } : {}) });
  assert.equal((error as { code: string }).code, "AUTH_OAUTH_INSECURE");
  assert.notEqual(said, "p");
});
