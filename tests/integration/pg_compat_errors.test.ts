/** A connection that cannot be had, or is lost: node-postgres's programs find in our errors what they find in its. */

import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { Client, type ClientConfig, type DriverError } from "../../mod.ts";
import { systemFailure } from "../../src/duplex/system_failure.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { certificates } from "../fixtures/certificates.ts";
import { rejection } from "../fixtures/clients.ts";
import { type FakeServer, messages, type Script, startFakeServer, WELCOME } from "../fixtures/fake_server.ts";
import { freePort } from "../fixtures/postgres.ts";

type ClientClass = new (config: ClientConfig) => Client;
type Failure = DriverError & Readonly<Record<string, unknown>>;

/** What programs look at. `port` is theirs where they have it: ours always tells it. */
const LOOKED_AT = ["code", "errno", "syscall", "address", "port", "hostname"] as const;

/** The same failure of both clients, by its name: how it is brought about, and our own code for it. */
interface Scenario {
  readonly what: string;
  readonly driverCode: string;
  readonly config?: ClientConfig;
  /** What the server does; without it nobody listens. */
  readonly serve?: Script;
}

const letIn: Script = async (connection) => {
  await connection.startup();
  connection.send(messages.authenticationOk, ...WELCOME);
};

const { server: credentials, ca } = await certificates();
const trusting = { ssl: { ca: ca.cert } };

const CONNECTS: readonly Scenario[] = [
  { what: "nobody listens", driverCode: "TRANSPORT_OPEN_FAILED" },
  { what: "nobody listens at a name", config: { host: "localhost" }, driverCode: "TRANSPORT_OPEN_FAILED" },
  { what: "an unknown host", config: { host: "no-such-host.invalid" }, driverCode: "TRANSPORT_OPEN_FAILED" },
  { what: "no such Unix-domain socket", config: { host: "/no/such/folder" }, driverCode: "TRANSPORT_OPEN_FAILED" },
  {
    what: "a reset",
    driverCode: "TRANSPORT_LOST",
    serve: async (connection) => {
      await connection.startup();
      connection.reset();
    },
  },
  {
    what: "an end",
    driverCode: "CONNECTION_ENDED",
    serve: async (connection) => {
      await connection.startup();
      connection.end();
    },
  },
  {
    what: "silence",
    config: { connectionTimeoutMillis: 100 },
    driverCode: "TIMEOUT_CONNECT",
    serve: async (connection) => void await connection.startup(),
  },
  {
    what: "no TLS there",
    config: trusting,
    driverCode: "TLS_REFUSED_BY_SERVER",
    serve: async (connection) => void await connection.startup(),
  },
  {
    what: "a certificate that nobody trusts",
    config: { ssl: true },
    driverCode: "TLS_CERTIFICATE",
    serve: (connection) => connection.secure(credentials),
  },
];

/** In Deno the system's words are other, and TLS has none of Node's codes. */
const ON_DENO = "Deno" in globalThis;

for (const { what, driverCode, config, serve } of CONNECTS) {
  test(`connecting: ${what}`, { skip: ON_DENO && config?.ssl === true && "Deno's TLS has no codes" }, async () => {
    const [ours, theirs] = await both(serve, async (client) => await rejection(client.connect()) as Failure, config);
    assertAlike(ours, theirs, driverCode);
  });
}

/** Only npm ws shows what a proxy answers. */
const UNSEEN = ON_DENO && "this runtime's WebSocket does not tell why it could not be opened";

for (const ssl of [false, true]) {
  test(`connecting through the proxy, ssl: ${ssl}: nobody listens`, { skip: UNSEEN }, async () => {
    const proxy = await startProxy({ allow: ["*:*"], allowPrivate: true });
    try {
      const client = new Client({ host: "127.0.0.1", port: await freePort(), user: "app", wsProxy: proxy.url, ssl });
      const { code, syscall, driverCode } = await rejection(client.connect()) as Failure;
      assert.deepEqual([code, syscall, driverCode], ["ECONNREFUSED", "connect", "TRANSPORT_OPEN_FAILED"]);
    } finally {
      await proxy.close({ drainMillis: 0 });
    }
  });
}

const IDLE: readonly Scenario[] = [
  { what: "a reset", driverCode: "TRANSPORT_LOST", serve: leaveAfter(letIn, (connection) => connection.reset()) },
  { what: "an end", driverCode: "CONNECTION_ENDED", serve: leaveAfter(letIn, (connection) => connection.end()) },
];

for (const { what, driverCode, serve } of IDLE) {
  test(`while idle: ${what} is an error event, and what a query then says is alike`, async () => {
    let after: Failure[] = [];
    const [ours, theirs] = await both(serve, async (client) => {
      const failed = new Promise<Failure>((resolve) => client.on("error", (error) => resolve(error as Failure)));
      await client.connect();
      client.query("bye").catch(() => {}); // asks the server to leave
      const error = await failed;
      after = [...after, await rejection(client.query("select 1")) as Failure];
      return error;
    });
    assertAlike(ours, theirs, driverCode);
    assert.equal(after[0].message, after[1].message);
  });
}

test("what systems say, in the shapes of Node and of Deno", () => {
  const node = (fields: object) => Object.assign(new Error("x"), fields);
  const cases: readonly (readonly [cause: unknown, expected: object | undefined])[] = [
    [node({ code: "EPIPE", errno: -32, syscall: "write" }), { code: "EPIPE", errno: -32, syscall: "write" }],
    [
      node({ code: "ETIMEDOUT", errno: -110, syscall: "connect", address: "192.0.2.1", port: 5432 }),
      { code: "ETIMEDOUT", errno: -110, syscall: "connect", address: "192.0.2.1" },
    ],
    [
      Object.assign(
        new AggregateError([node({ code: "ECONNREFUSED", errno: -111, syscall: "connect", address: "::1" })]),
        {
          code: "ECONNREFUSED",
        },
      ),
      { code: "ECONNREFUSED", errno: -111, syscall: "connect", address: "::1" },
    ],
    [
      Object.assign(new Error("Connection timed out (os error 110)"), { code: "ETIMEDOUT" }),
      { code: "ETIMEDOUT", errno: -110, syscall: "connect", address: "192.0.2.1" },
    ],
    [new Error("failed to lookup address information: Temporary failure in name resolution"), {
      code: "EAI_AGAIN",
      errno: -3001,
      syscall: "getaddrinfo",
      hostname: "192.0.2.1",
    }],
    [new Error("something else"), undefined],
    ["words", undefined],
    [undefined, undefined],
  ];
  for (const [cause, expected] of cases) {
    const said = systemFailure(cause, "connect", { host: "192.0.2.1", port: 5432 });
    const present = said && Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
    assert.deepEqual(present, expected, String(cause));
  }
});

/** What comes of the same work with our client and with node-postgres's, each with a server of its own. */
async function both<T>(
  serve: Script | undefined,
  work: (client: Client) => Promise<T>,
  config: ClientConfig = {},
): Promise<[T, T]> {
  const classes: readonly ClientClass[] = [Client, pg.Client as unknown as ClientClass];
  const listening: FakeServer[] = [];
  const port = await freePort();
  try {
    const results = [];
    for (const ClientClass of classes) {
      const server = serve && await startFakeServer(serve);
      if (server !== undefined) listening.push(server);
      const address = { host: "127.0.0.1", port: server?.port ?? port };
      const client = new ClientClass({ ...address, user: "u", database: "d", ...config });
      client.on("error", () => {}); // node-postgres's may have more than one
      results.push(await work(client));
      client.connection.stream.destroy();
    }
    return [results[0], results[1]];
  } finally {
    for (const server of listening) await server.stop();
  }
}

function assertAlike(ours: Failure, theirs: Failure, driverCode: string): void {
  for (const field of LOOKED_AT) {
    if (theirs[field] === undefined) continue;
    // Each had a server, and so a port, of its own.
    if (field === "port") assert.equal(typeof ours.port, "number");
    // Of a name, either of its addresses may have been the last.
    else if (field !== "address" || ours.host !== "localhost") assert.equal(ours[field], theirs[field], field);
  }
  assert.equal(ours.driverCode, driverCode);
  // Theirs has none for a peer that hangs up; ours is the one that it has for one that resets the connection.
  const code = driverCode === "CONNECTION_ENDED" ? "ECONNRESET" : driverCode;
  if (theirs.code === undefined) assert.deepEqual([ours.code, ours.message], [code, theirs.message]);
  else assert.ok(ours.message.includes(ON_DENO ? String(theirs.code) : theirs.message), ours.message);
}

function leaveAfter(first: Script, leave: (connection: Parameters<Script>[0]) => void): Script {
  return async (connection, number) => {
    await first(connection, number);
    await connection.message();
    leave(connection);
  };
}
