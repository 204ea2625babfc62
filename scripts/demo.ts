/**
 * `deno task demo [--lat=N --lon=N]`: a real PostgreSQL, the proxy, 135,000 places, and the ten nearest of them asked for
 * through a WebSocket and over a socket, in TLS both times; then where the time went.
 *
 * @module
 */

import { Client, type ClientConfig } from "../mod.ts";
import { startProxy } from "../src/proxy/mod.ts";
import { certificates } from "../tests/fixtures/certificates.ts";
import { connectionUrl, DATABASE, PASSWORDS, startPostgres } from "../tests/fixtures/postgres.ts";
import { startRelay } from "../tests/fixtures/relay.ts";
import { describeCoordinate, parseCoordinate, POINT_NEMO, USAGE } from "./demo/arguments.ts";
import { type Coordinate, explainNearest, loadPlaces, NEAREST, type NearPlace } from "./demo/places.ts";
import { renderTable } from "./table.ts";
import { type Connect, describeTls, phasesOf, renderWaterfall } from "./demo/waterfall.ts";
import { installPackages, step } from "./progress.ts";
import { untilInterrupted } from "./until_interrupted.ts";
import { buildGenerated } from "./wasm_core.ts";

/** Half of the round trip that a relay adds, so that the database seems to be in another town. */
const DELAY_MILLIS = 10;

async function demo(resources: AsyncDisposableStack, target: Coordinate): Promise<number> {
  await installPackages();
  await buildGenerated();
  const server = resources.use(await step("Starting PostgreSQL 18", () => startPostgres()));
  const proxy = await startProxy({ allow: [`${server.host}:${server.port}`] });
  resources.defer(() => proxy.close({ drainMillis: 0 }));

  const owner = new Client(connectionUrl(server, "postgres"));
  resources.defer(() => owner.end());
  await owner.connect();
  await step("Loading the places", () => loadPlaces(owner));

  const { ca } = await certificates();
  const common = {
    user: "scram_user",
    password: PASSWORDS.scram_user,
    database: DATABASE,
    ssl: { ca: ca.cert },
    sslnegotiation: "direct",
    connectionTimeoutMillis: 10_000,
  } as const;
  const name = target === POINT_NEMO ? `Point Nemo, ${describeCoordinate(target)}` : describeCoordinate(target);
  console.log(`\nThe ten places nearest to ${name}, by ${await explainNearest(owner, target)}`);

  const toProxy = resources.use(
    await startRelay({ target: { host: "127.0.0.1", port: proxy.port }, delayMillis: DELAY_MILLIS }),
  );
  const throughWebSocket = await ask(toProxy, "WebSocket, through the proxy", target, {
    ...common,
    host: server.host,
    port: server.port,
    wsProxy: `ws://${toProxy.host}:${toProxy.port}`,
  });
  const toServer = resources.use(await startRelay({ target: server, delayMillis: DELAY_MILLIS }));
  const overSocket = await ask(toServer, "TLS socket", target, { ...common, host: toServer.host, port: toServer.port });

  const added = `A relay adds ${
    2 * DELAY_MILLIS
  } ms to each turn, and counts them; TCP's own handshake is not among them.`;
  console.log(`\nFrom connect to the first row. ${added}\n`);
  console.log(renderWaterfall([throughWebSocket, overSocket]));
  return 0;
}

/** Connects through a relay, asks in a transaction, prints the rows, and tells where the time went. */
async function ask(
  relay: Awaited<ReturnType<typeof startRelay>>,
  title: string,
  { lat, lon }: Coordinate,
  config: ClientConfig,
): Promise<Connect> {
  const startedAt = performance.now();
  const client = new Client(config);
  // Submitted before the connection is there, the transaction leaves with the last message of authentication.
  const connected = client.connect();
  const begun = client.query("BEGIN READ ONLY");
  const asked = client.query<NearPlace>(NEAREST, [lat, lon]).then((result) => ({ result, at: performance.now() }));
  const committed = client.query("COMMIT");
  const [{ result, at }] = await Promise.all([asked, begun, committed, connected]);

  console.log(`\n${title}: ${client.connectionInfo?.remote}\n`);
  console.log(renderTable(COLUMNS, result.rows));
  const { opened = 0, secured = 0, authenticated = 0 } = client.connectTimings ?? {};
  const moments = { opened, secured: Math.max(opened, secured), authenticated, firstRow: at - startedAt };
  const phases = phasesOf(moments, startedAt, await relay.connection(0), DELAY_MILLIS);
  const tls = describeTls(client.tlsInfo);
  await client.end();
  return { title, tls, phases };
}

const countries = new Intl.DisplayNames("en", { type: "region" });

const COLUMNS = [
  { title: "place", show: ({ name, capital }: NearPlace) => capital ? `${name} ★` : name },
  { title: "country", show: ({ country }: NearPlace) => countries.of(country) ?? country },
  { title: "inhabitants", show: ({ population }: NearPlace) => population.toLocaleString("en"), right: true },
  { title: "km", show: ({ km }: NearPlace) => km.toLocaleString("en"), right: true },
];

if (Deno.args.includes("--help")) console.log(USAGE);
else await untilInterrupted((resources) => demo(resources, parseCoordinate(Deno.args)));
