/**
 * The servers of the runtime tests, and what of them a program is told.
 *
 * @module
 */

import { createServer } from "node:net";
import { once } from "node:events";
import { startProxy } from "../../src/proxy/mod.ts";
import { type Certificates, certificates } from "../fixtures/certificates.ts";
import { DATABASE, PASSWORDS, type PostgresAddress, startPostgres } from "../fixtures/postgres.ts";
import { type Consumer, installConsumer } from "../integration/npm_consumer.ts";
import type { Task } from "./program.ts";
import type { Combination } from "./runtime.ts";

/** What is running, and the packages as they would be published. */
export interface Stage {
  readonly postgres: PostgresAddress;
  /** Its certificate is by an authority of the trusted one's name. */
  readonly untrusted: PostgresAddress;
  readonly proxyUrl: string;
  readonly certificates: Certificates;
  /** A port on which nobody listens. */
  readonly deadPort: number;
  /** A project that has the npm packages installed. */
  consumer(): Promise<Consumer>;
}

/** Starts everything, for as long as `resources` live. */
export async function setStage(resources: AsyncDisposableStack): Promise<Stage> {
  const pki = await certificates();
  const postgres = resources.use(await startPostgres());
  const untrusted = resources.use(await startPostgres({ ssl: pki.untrusted }));
  const deadPort = await unusedPort();
  const proxy = await startProxy({
    allow: [postgres.port, untrusted.port, deadPort].map((port) => `127.0.0.1:${port}`),
  });
  resources.defer(() => proxy.close({ drainMillis: 0 }));
  let consumer: Promise<Consumer> | undefined;
  resources.defer(async () => await (await consumer?.catch(() => undefined))?.remove());
  return {
    postgres,
    untrusted,
    proxyUrl: `ws://127.0.0.1:${proxy.port}`,
    certificates: pki,
    deadPort,
    consumer: () => consumer ??= installConsumer(),
  };
}

/** What the program is to do by way of `combination`. */
export function taskFor(stage: Stage, { transport, tls }: Combination): Task {
  const { postgres, untrusted, proxyUrl, deadPort, certificates: { ca, client } } = stage;
  const throughProxy = transport === "websocket";
  // The platform's TLS in Workers trusts the authorities that its process was started with.
  const rootCerts = transport === "cloudflare" && tls === "platform" ? undefined : ca.cert;
  return {
    config: {
      host: postgres.host,
      port: postgres.port,
      database: DATABASE,
      sslmode: "verify-full",
      tlsEngine: tls,
      rootCerts,
      wsProxy: throughProxy ? proxyUrl : undefined,
      connectionTimeoutMillis: 15_000,
    },
    transport,
    passwords: PASSWORDS,
    clientCertificate: { sslcert: client.cert, sslkey: client.key },
    untrustedPort: untrusted.port,
    deadPort,
    deadProxy: throughProxy ? `ws://127.0.0.1:${deadPort}` : undefined,
  };
}

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  return address.port;
}
