/**
 * Node's TLS over any Duplex, for bytes that come from none of Node's own sockets: a WebSocket, say.
 *
 * @module
 */

import type { Socket } from "node:net";
import type { Duplex as NodeStream } from "node:stream";
import { builtinModule } from "../builtin_module.ts";
import { TlsError } from "../errors.ts";
import type { TlsDuplex, TlsOptions } from "../tls/engine.ts";
import type { Duplex } from "./duplex.ts";
import { aborted } from "./failures.ts";
import { fromTlsSocket } from "./node.ts";
import { handshake } from "./node_tls.ts";

/**
 * Negotiates TLS by `node:tls` over a quiet Duplex and takes it over.
 *
 * @throws {TlsError} `TLS_CERTIFICATE`, `TLS_HANDSHAKE`; `TLS_UNAVAILABLE` where the runtime has no Node streams
 */
export async function nodeTlsOver(duplex: Duplex, options: TlsOptions): Promise<TlsDuplex> {
  const { transport, remote } = duplex.info;
  const place = { transport, phase: "tls" as const };
  const stream = builtinModule<typeof import("node:stream")>("node:stream");
  if (stream === undefined) throw new TlsError("TLS_UNAVAILABLE", `this runtime has no node:tls for ${remote}`, place);
  const socket = asNodeStream(duplex, stream) as Socket;
  const secured = await handshake(
    socket,
    options,
    place,
    () => aborted("the TLS handshake", options.signal?.reason, place),
  );
  // What keeps the process alive is the connection below.
  const below = { ref: () => (duplex.ref?.(), secured), unref: () => (duplex.unref?.(), secured) };
  return fromTlsSocket(Object.assign(secured, below), duplex.info, {}, options);
}

/** The Duplex as a stream of Node's, which reads only as fast as it is read from. */
function asNodeStream(duplex: Duplex, { Duplex: Stream }: typeof import("node:stream")): NodeStream {
  let reading = false;
  return new Stream({
    allowHalfOpen: true,
    read() {
      if (reading) return;
      reading = true;
      duplex.read().then(
        (chunk) => {
          reading = false;
          this.push(chunk);
        },
        (error) => this.destroy(error),
      );
    },
    write(chunk: Uint8Array, _encoding, done) {
      // Node reuses nothing of the chunk, but owns its pool: the Duplex may keep it only as long as it is unwritten.
      duplex.write(chunk).then(() => done(), done);
    },
    final(done) {
      duplex.closeWrite().then(() => done(), done);
    },
    destroy(error, done) {
      duplex.close(error ?? "TLS ended");
      done(error);
    },
  });
}
