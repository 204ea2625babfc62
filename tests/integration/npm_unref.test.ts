/** A pool whose idle clients need not keep the process alive does not do so through a WebSocket either, on any Node. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newerNode, NO_NEWER_NODE } from "../fixtures/newer_node.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";
import { type Consumer, installConsumer, NOT_ON_DENO, run } from "./npm_consumer.ts";
import { startProxy } from "../../src/proxy/mod.ts";

const skip = "Deno" in globalThis ? false : NOT_ON_DENO;

let consumer: Consumer;
before(async () => {
  if (!skip) consumer = await installConsumer();
});
after(async () => await consumer?.remove());

const PROGRAM = `
import { Pool } from "pgduplex";
const [connectionString, wsProxy] = process.argv.slice(2);
const pool = new Pool({ connectionString, wsProxy, ssl: false, allowExitOnIdle: true, idleTimeoutMillis: 0 });
const { rows } = await pool.query("select 1 as one");
console.log(rows[0].one, pool.idleCount);
`;

// Node 20 has no WebSocket of its own; later ones' cannot be told.
for (const [which, node] of [["this Node", "node"], ["a newer Node", newerNode()]] as const) {
  test(
    `${which}: allowExitOnIdle through the proxy`,
    { skip: skip || (node === undefined && NO_NEWER_NODE) },
    async () => {
      if (node === undefined) return;
      const { postgres } = await servers();
      const proxy = await startProxy({ allow: [`${postgres.host}:${postgres.port}`], listen: { port: 0 } });
      try {
        const program = await consumer.write("idle.mjs", PROGRAM);
        const url = connectionUrl(postgres, "scram_user");
        // It would never end.
        assert.equal(await run(node, [program, url, proxy.url], consumer.folder), "1 1\n");
      } finally {
        await proxy.close({ drainMillis: 0 });
      }
    },
  );
}
