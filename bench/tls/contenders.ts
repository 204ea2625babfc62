/**
 * The implementations of TLS side by side, each behind the same few operations, used as its documentation says.
 *
 * @module
 */

// @ts-types="./subtls.d.ts"
import { LazyReadFunctionReadQueue, startTls } from "subtls";
import type { Duplex } from "../../src/duplex/duplex.ts";
import { nodeTlsOver } from "../../src/duplex/node_tls_over.ts";
import { openDuplex } from "../../src/duplex/open.ts";
import { wolfssl, type WolfSslOptions } from "../../wolfssl/mod.ts";
import type { FarEnd } from "./orders.ts";

/** A connection inside TLS. */
export interface BenchConnection {
  /** Resolves when more may be written. */
  write(bytes: Uint8Array): Promise<unknown>;
  /** Resolves when so many bytes more have come. */
  receive(bytes: number): Promise<void>;
  close(): void;
}

/** Where to connect, and whom to trust. */
export interface Place {
  readonly farEnd: FarEnd;
  readonly port: number;
  readonly ca: string;
}

/** An implementation of TLS. Every connection negotiates anew: no session is resumed. */
export interface Contender {
  connect(place: Place): Promise<BenchConnection>;
}

const HOST = "127.0.0.1";
const NAME = "localhost";
const VERIFY = { chain: true, name: true };

const open = ({ farEnd, port }: Place, throughProxy: boolean): Promise<Duplex> =>
  openDuplex({ host: HOST, port, wsProxy: throughProxy ? farEnd.proxy : undefined });

function wolfSsl(options: WolfSslOptions, throughProxy: boolean): Contender {
  const engine = wolfssl({ ...options, resumption: false });
  return {
    connect: async (place) => {
      const duplex = await open(place, throughProxy);
      return overDuplex(await engine.connect(duplex, { serverName: NAME, verify: VERIFY, roots: [place.ca] }));
    },
  };
}

/** `node:tls` on a socket of its own, by its events. */
const nodeTls: Contender = {
  async connect({ port, ca }) {
    const { connect } = await import("node:tls");
    const socket = connect({ host: HOST, port, ca, servername: NAME });
    socket.setNoDelay(true);
    const arrivals = new Arrivals();
    socket.on("data", (bytes) => arrivals.push(bytes.length));
    await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
    socket.on("error", () => {}); // it is destroyed at will
    return {
      write: (bytes) => new Promise<void>((resolve) => socket.write(bytes) ? resolve() : socket.once("drain", resolve)),
      receive: (bytes) => arrivals.wait(bytes),
      close: () => void socket.end(), // with a goodbye, as everybody else
    };
  },
};

/** `node:tls` over a WebSocket, as the driver has it where wolfSSL is not installed. */
const nodeTlsThroughProxy: Contender = {
  connect: async (place) =>
    overDuplex(await nodeTlsOver(await open(place, true), { serverName: NAME, verify: VERIFY, roots: [place.ca] })),
};

const denoTls: Contender = {
  async connect({ port, ca }) {
    const plain = await Deno.connect({ hostname: HOST, port });
    plain.setNoDelay(true);
    const conn = await Deno.startTls(plain, { hostname: NAME, caCerts: [ca] });
    const buffer = new Uint8Array(64 * 1024);
    return {
      async write(bytes) {
        for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
      },
      async receive(bytes) {
        for (let left = bytes; left > 0;) left -= await conn.read(buffer) ?? ended();
      },
      close: () => conn.close(),
    };
  },
};

/** `startTls` of a Worker's socket, whose process trusts the authority. */
const cloudflareTls: Contender = {
  async connect(place) {
    const duplex = await open(place, false);
    if (duplex.startTls === undefined) throw new Error("these sockets have no TLS of their own");
    return overDuplex(await duplex.startTls({ serverName: HOST, verify: VERIFY }));
  },
};

function subTls(throughProxy: boolean): Contender {
  return {
    async connect(place) {
      const duplex = await open(place, throughProxy);
      const queue = new LazyReadFunctionReadQueue(async () => await duplex.read() ?? undefined);
      const { read, write } = await startTls(
        NAME,
        place.ca,
        queue.read.bind(queue),
        (bytes) => {
          duplex.write(bytes).catch(() => {}); // met by the next read
        },
      );
      return {
        write,
        async receive(bytes) {
          for (let left = bytes; left > 0;) left -= (await read())?.length ?? ended();
        },
        close: () => duplex.close(),
      };
    },
  };
}

/** Our engine, as it may be set up. */
const OURS: readonly (readonly [name: string, options: WolfSslOptions])[] = [
  ["wolfssl auto", { crypto: "auto" }],
  ["wolfssl wasm", { crypto: "wasm" }],
  ["wolfssl subtle", { crypto: "subtle" }],
  ["wolfssl ChaCha20", { crypto: "wasm", cipherSuites: ["TLS_CHACHA20_POLY1305_SHA256"] }],
];

/** All of them by name. `options` are more options of our engine: its module, where none is compiled at run time. */
export function contenders(options: WolfSslOptions = {}): Readonly<Record<string, Contender>> {
  const ours = (throughProxy: boolean) =>
    Object.fromEntries(OURS.map(([name, own]) => [
      name + (throughProxy ? THROUGH_PROXY : ""),
      wolfSsl({ ...options, ...own }, throughProxy),
    ]));
  return {
    ...ours(false),
    ...ours(true),
    "node:tls": nodeTls,
    [`node:tls${THROUGH_PROXY}`]: nodeTlsThroughProxy,
    "Deno.startTls": denoTls,
    "startTls of its sockets": cloudflareTls,
    "subtls": subTls(false),
    [`subtls${THROUGH_PROXY}`]: subTls(true),
  };
}

/** The end of the names of those that go through a WebSocket. */
export const THROUGH_PROXY = " over WebSocket";

function overDuplex(duplex: Duplex): BenchConnection {
  return {
    write: (bytes) => duplex.write(bytes),
    async receive(bytes) {
      for (let left = bytes; left > 0;) left -= (await duplex.read())?.length ?? ended();
    },
    close: () => duplex.close(),
  };
}

function ended(): never {
  throw new Error("the far end closed the connection");
}

/** Counts what arrives by events, for one that waits. */
class Arrivals {
  #unclaimed = 0;
  #wake: (() => void) | undefined;

  push(bytes: number): void {
    this.#unclaimed += bytes;
    this.#wake?.();
  }

  wait(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        if (this.#unclaimed < bytes) return;
        this.#unclaimed -= bytes;
        this.#wake = undefined;
        resolve();
      };
      this.#wake();
    });
  }
}
