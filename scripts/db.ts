/**
 * `deno task db [--port=N] [--proxy-port=N]`: a PostgreSQL and the proxy for development, until Ctrl-C.
 *
 * @module
 */

import { startProxy } from "../src/proxy/mod.ts";
import { certificates } from "../tests/fixtures/certificates.ts";
import { connectionUrl, type PostgresServer, startPostgres } from "../tests/fixtures/postgres.ts";
import { installPackages, step } from "./progress.ts";
import { untilInterrupted } from "./until_interrupted.ts";

await untilInterrupted(async (resources) => {
  const [port, proxyPort] = [readPort("port"), readPort("proxy-port")];
  await installPackages();
  const server = resources.use(await step("Starting PostgreSQL", () => startPostgres({ port })));
  const proxy = await startProxy({ allow: [`${server.host}:${server.port}`], listen: { port: proxyPort } });
  resources.defer(() => proxy.close({ drainMillis: 0 }));
  console.log(await describe(server, proxy.url));
  return await new Promise<number>(() => {});
});

async function describe(server: PostgresServer, proxyUrl: string): Promise<string> {
  const { ca } = await certificates();
  const tls = { sslmode: "verify-full", sslrootcert: ca.certPath };
  return `
PostgreSQL ${server.version} on ${server.host}:${server.port}

  superuser     ${connectionUrl(server, "postgres")}
  SCRAM         ${connectionUrl(server, "scram_user")}
  MD5           ${connectionUrl(server, "md5_user")}
  cleartext     ${connectionUrl(server, "password_user")}
  no password   ${connectionUrl(server, "trust_user")}
  TLS           ${connectionUrl(server, "trust_user", { parameters: tls })}

  authority     ${ca.certPath}
  Unix socket   ${server.socketFolder}
  log           ${server.logPath}
  WebSocket     ${proxyUrl} (wsProxy; for this server alone)

Ctrl-C stops both and deletes the data.`;
}

function readPort(name: string): number | undefined {
  const prefix = `--${name}=`;
  const value = Deno.args.find((arg) => arg.startsWith(prefix))?.slice(prefix.length);
  if (value === undefined) return undefined;
  const port = Number(value);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error(`--${name}=${value} is not a port`);
  return port;
}
