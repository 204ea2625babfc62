/**
 * The far end of the TLS benchmarks, a process of its own on Node: `node far_end.mjs <certificate> <key>` prints where it
 * listens and serves until its standard input ends.
 *
 * What is measured is the client, so that this end takes as little time as it can. Handshakes and small messages are
 * `node:tls`'s. In bulk it does only the handshake by `node:tls`: the records that it sends are encrypted before the clock
 * runs ({@linkcode sealRecords}) and then only written, and those that come are counted and not decrypted.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { Duplex } from "node:stream";
import { createServer as createTlsServer } from "node:tls";
import { startProxy } from "../../src/proxy/mod.ts";
import type { FarEnd, Order } from "./orders.ts";
import { RecordCounter, RecordSealer } from "./sealed_records.ts";

const [certificatePath = "", keyPath = ""] = process.argv.slice(2);

/** AES-256-GCM for all that have it: subtls has AES-128 alone, and one contender offers nothing but ChaCha20. */
const TLS_OPTIONS = {
  cert: readFileSync(certificatePath),
  key: readFileSync(keyPath),
  minVersion: "TLSv1.3",
  ciphers: "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256",
  honorCipherOrder: true,
} as const;

/** Sends back what comes. */
function echoServer(): Server {
  const server = createTlsServer(TLS_OPTIONS, (socket) => {
    socket.setNoDelay(true);
    socket.on("error", () => {}); // clients break off at will
    socket.on("data", (bytes) => socket.write(bytes));
  });
  return server;
}

/** Does what a connection's first message, an {@linkcode Order}, says. */
function bulkServer(): Server {
  return createServer({ noDelay: true }, (raw) => {
    raw.on("error", () => {}); // as above
    const line = new Handover(raw);
    let secret: string | undefined;
    // A server for each connection: the secrets that it tells are that one's.
    const tls = createTlsServer(TLS_OPTIONS, (socket) => {
      socket.on("error", () => {});
      socket.once("data", (bytes) => {
        const order = JSON.parse(String(bytes)) as Order;
        const { name } = socket.getCipher();
        line.takeOver((sent) => serve(order, raw, new RecordSealer(name, secret ?? "", sent)));
      });
    });
    tls.on("keylog", (text: Uint8Array) => {
      const [label, , value] = String(text).trim().split(" ");
      if (label === "SERVER_TRAFFIC_SECRET_0") secret = value;
    });
    tls.emit("connection", line.stream);
  });
}

/** A socket that node:tls has until the handshake is done and the order read, and this program from then on. */
class Handover {
  readonly stream: Duplex;
  readonly #sent = new RecordCounter();
  #flights = 0;
  #onData: (bytes: Uint8Array) => void;

  constructor(raw: Socket) {
    this.stream = new Duplex({
      read: () => {},
      write: (bytes, _encoding, done) => {
        // The first flight is the handshake's own; what follows the client's second is under the traffic secret.
        if (this.#flights > 1) this.#sent.push(bytes);
        raw.write(bytes, () => done());
      },
      destroy: (error, done) => {
        raw.destroy();
        done(error);
      },
    });
    this.#onData = (bytes) => {
      this.#flights++;
      this.stream.push(bytes);
    };
    raw.on("data", (bytes) => this.#onData(bytes));
    raw.on("close", () => this.stream.destroy());
  }

  /** Asks who takes the bytes from then on, and tells how many records were sent under the traffic secret. */
  takeOver(use: (sent: number) => (bytes: Uint8Array) => void): void {
    // The tickets that node:tls sends with the handshake's end have to leave first.
    setTimeout(() => this.#onData = use(this.#sent.records), HANDOVER_MILLIS);
  }
}

const HANDOVER_MILLIS = 20;

/** What to do with the bytes that come from then on. */
function serve(order: Order, raw: Socket, sealer: RecordSealer): (bytes: Uint8Array) => void {
  if (order.do === "source") return source(order, raw, sealer);
  const counter = new RecordCounter();
  raw.write(sealer.seal(1, 1)); // it is ready
  return (bytes) => {
    counter.push(bytes);
    if (counter.content < order.bytes) return;
    counter.content -= order.bytes;
    raw.write(sealer.seal(1, 1));
  };
}

/** Sends a byte when the records are made, and the records once anything has come. */
function source(order: Order & { do: "source" }, raw: Socket, sealer: RecordSealer): (bytes: Uint8Array) => void {
  const ready = sealer.seal(1, 1);
  const records = sealer.seal(order.bytes, order.record);
  raw.write(ready);
  return () => write(raw, records, 0);
}

/** In pieces that cross record boundaries as a network's do. */
function write(raw: Socket, bytes: Uint8Array, from: number): void {
  for (let at = from; at < bytes.length; at += PIECE) {
    if (raw.write(bytes.subarray(at, at + PIECE))) continue;
    raw.once("drain", () => write(raw, bytes, at + PIECE));
    return;
  }
}

const PIECE = 256 * 1024;

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function main(): Promise<void> {
  const [echo, bulk] = [await listen(echoServer()), await listen(bulkServer())];
  const proxy = await startProxy({ allow: [`127.0.0.1:${echo}`, `127.0.0.1:${bulk}`] });
  console.log(JSON.stringify({ echo, bulk, proxy: `ws://127.0.0.1:${proxy.port}` } satisfies FarEnd));
  process.stdin.on("end", () => process.exit(0)).resume();
}

main();
