import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import pg from "pg";
import { connectionUrl } from "../fixtures/postgres.ts";
import { COUNTING_DELAY_MILLIS, type Fault, type Relay, startRelay } from "../fixtures/relay.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres, certificates } = await servers();

// What node-postgres is known to need: (SSLRequest, TLS,) startup, SASLInitialResponse, SASLResponse, query.
for (const [what, ssl, turns] of [["plain TCP", false, 4], ["TLS", { ca: certificates.ca.cert }, 6]] as const) {
  test(`node-postgres takes ${turns} turns from connect to its first row over ${what}`, async () => {
    await using relay = await startRelay({ target: postgres, delayMillis: COUNTING_DELAY_MILLIS });
    const client = new pg.Client({ connectionString: connectionUrl(relay, "scram_user"), ssl });
    await client.connect();
    await client.query("SELECT 1");
    assert.equal(relay.turns, turns);
    await client.end(); // which a server answers in TLS: hence after the count
  });
}

test("a flight cut into many segments is one turn", async () => {
  await using echo = await startEcho();
  await using relay = await startRelay({ target: echo, delayMillis: COUNTING_DELAY_MILLIS });
  const socket = connect(relay.port, relay.host);
  for (const letter of "abc") {
    socket.write(letter);
    await new Promise((resolve) => setTimeout(resolve, 1)); // to make segments of them
  }
  assert.equal(await read(socket, 3), "abc");
  assert.equal(relay.turns, 1);
  socket.write("d");
  assert.equal(await read(socket, 1), "d");
  assert.equal(relay.turns, 2);
  socket.destroy();
});

test("both directions are recorded", async () => {
  await using echo = await startEcho();
  await using relay = await startRelay({ target: echo });
  const socket = connect(relay.port, relay.host);
  socket.end("hello");
  assert.equal(await read(socket, 5), "hello");
  await once(socket, "end");
  const connection = await relay.connection(0);
  assert.deepEqual([text(connection.bytes("client")), text(connection.bytes("server"))], ["hello", "hello"]);
});

test("a side that ends is heard to have ended, and may still be answered", async () => {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.resume().on("end", () => socket.end("bye")));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  await using relay = await startRelay({
    target: { host: "127.0.0.1", port: (server.address() as { port: number }).port },
  });
  const socket = connect(relay.port, relay.host);
  socket.end("hello");
  assert.equal(await read(socket, 3), "bye");
  server.close();
});

const faults: [string, Fault, (socket: Socket, relay: Relay) => Promise<void>][] = [
  ["end", { from: "server", after: 2, action: "end" }, async (socket) => {
    assert.equal(await read(socket, 2), "he");
    await once(socket, "end");
  }],
  ["reset", { from: "server", after: 0, action: "reset" }, async (socket) => {
    const [error] = await once(socket, "error");
    assert.equal(error.code, "ECONNRESET");
  }],
  ["stall", { from: "client", after: 3, action: "stall" }, async (socket, relay) => {
    const connection = await relay.connection(0);
    await connection.faulted;
    assert.equal(text(connection.bytes("client")), "hel");
    assert.ok(!socket.destroyed);
  }],
  ["inject", { from: "server", after: 2, action: { inject: new TextEncoder().encode("XY") } }, async (socket) => {
    assert.equal(await read(socket, 7), "heXYllo");
  }],
];

for (const [name, fault, expectation] of faults) {
  test(`the fault "${name}" strikes after ${fault.after} bytes of the ${fault.from}'s, on the connection it is for`, async () => {
    await using echo = await startEcho();
    await using relay = await startRelay({ target: echo, fault: (connection) => connection === 0 ? fault : undefined });
    const faulty = connect(relay.port, relay.host);
    const expected = expectation(faulty, relay);
    if (fault.after > 0) await once(faulty, "connect").then(() => faulty.write("hello"));
    await expected;
    const sound = connect(relay.port, relay.host);
    sound.write("hello");
    assert.equal(await read(sound, 5), "hello");
    faulty.destroy();
    sound.destroy();
  });
}

async function startEcho(): Promise<{ host: string; port: number } & AsyncDisposable> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {}); // the relay's resets
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: "127.0.0.1",
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

async function read(socket: Socket, length: number): Promise<string> {
  let received = "";
  while (received.length < length) received += (await once(socket, "data"))[0];
  return received;
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
