/**
 * A Worker that runs one case of the Duplex contract per request, as {@linkcode Order} says, over the peers that the
 * test has started outside.
 *
 * @module
 */

import { openCloudflare } from "../../../src/duplex/cloudflare.ts";
import { openDuplex } from "../../../src/duplex/open.ts";
import { openWebSocket } from "../../../src/duplex/websocket.ts";
import { DriverError } from "../../../src/errors.ts";
import type { TlsOptions } from "../../../src/tls/engine.ts";
import { platformEngine } from "../../../src/tls/platform.ts";
import type { Address, PeerAddresses } from "../../fixtures/peers.ts";
import { casesFor } from "../../integration/duplex_contract.ts";
import type { Subject } from "../../integration/duplex_contract.ts";

/** What a request asks for, as JSON. */
export type Order =
  | { readonly list: SubjectName; readonly addresses: PeerAddresses }
  | { readonly run: string; readonly subject: SubjectName; readonly addresses: PeerAddresses }
  /** Opens a connection as a client would, and starts TLS where there are options for it. */
  | { readonly open: Address; readonly tls?: Partial<TlsOptions> };

/** The implementations that are tested here. */
export type SubjectName = "cloudflare:sockets" | "TLS of cloudflare:sockets" | "the WebSocket of workerd";

/** What comes back, as JSON. */
export interface Answer {
  readonly cases?: readonly string[];
  readonly opened?: { readonly transport: string; readonly secure?: boolean | undefined; readonly answered: boolean };
  readonly error?: { readonly name: string; readonly code: string | undefined; readonly message: string };
}

export default {
  async fetch(request: Request): Promise<Response> {
    return Response.json(await answer(await request.json()).catch((error) => ({ error: describe(error) })));
  },
};

async function answer(order: Order): Promise<Answer> {
  if ("open" in order) return { opened: await open(order.open, order.tls) };
  if ("list" in order) {
    return { cases: casesFor(subjectOf(order.list, order.addresses)).applies.map(({ name }) => name) };
  }
  const subject = subjectOf(order.subject, order.addresses);
  const one = casesFor(subject).applies.find(({ name }) => name === order.run);
  if (one === undefined) throw new Error(`there is no case "${order.run}"`);
  await one.run(subject);
  return {};
}

const strict = { serverName: "127.0.0.1", verify: { chain: true, name: true } };

function subjectOf(name: SubjectName, { tcp, tls, webSocket, mute }: PeerAddresses): Subject {
  const everything = { halfClose: true, resets: true, pausesPeer: true, writeWaits: true };
  switch (name) {
    case "cloudflare:sockets":
      return {
        ...everything,
        resets: false, // workerd shows a reader no difference
        open: () => openCloudflare(tcp),
        openAborted: (signal) => openCloudflare({ ...mute, signal }),
      };
    case "TLS of cloudflare:sockets":
      return {
        ...everything,
        resets: false,
        open: async () => platformEngine.connect(await openCloudflare(tls), strict),
        // No openAborted: starting TLS takes no time there, the handshake comes with the first write.
      };
    case "the WebSocket of workerd": {
      const target = { host: "db.example.com", port: 5432 };
      const url = ({ host, port }: Address) => `ws://${host}:${port}/v1`;
      return {
        halfClose: false,
        resets: true,
        pausesPeer: false,
        writeWaits: false, // it does not tell how much it holds back
        open: () => openWebSocket(url(webSocket), target),
        openAborted: (signal) => openWebSocket(url(mute), { ...target, signal }),
      };
    }
  }
}

async function open(address: Address, tls: Partial<TlsOptions> | undefined): Promise<Answer["opened"]> {
  const duplex = await openDuplex(address);
  const secured = tls === undefined ? duplex : await platformEngine.connect(duplex, { ...strict, ...tls });
  const { transport, secure } = secured.info;
  const writing = secured.write(new TextEncoder().encode('{"do":"echo"}\n.'));
  writing.catch(() => {}); // of the two that meet a failed handshake, the read is the one to tell
  const bytes = await secured.read();
  secured.close();
  return { transport, secure, answered: bytes?.length === 1 };
}

function describe(error: unknown): Answer["error"] {
  if (!(error instanceof Error)) return { name: "not an error", code: undefined, message: String(error) };
  const code = error instanceof DriverError ? error.driverCode : undefined;
  return { name: error.name, code, message: `${error.message}\n${error.stack}` };
}
