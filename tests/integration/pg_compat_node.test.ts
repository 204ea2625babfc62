/** What node-postgres's clients do on Node alone. */

import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { Client, type ClientConfig, Query } from "../../mod.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";

const NODE = "Deno" in globalThis ? "Deno has no domains, and its environment is read by permission" : false;

const { postgres } = await servers();
const url = connectionUrl(postgres, "scram_user");

type ClientClass = new (config?: string | ClientConfig) => Client;
const theirs = pg as unknown as { Client: ClientClass; Query: typeof Query };
const classes: readonly (readonly [ClientClass, typeof Query])[] = [[Client, Query], [theirs.Client, theirs.Query]];

interface Domain {
  run(work: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  exit(): void;
}

test("callbacks run in the domain that they were given in, and a Query's unheard error goes to it", {
  skip: NODE,
}, async () => {
  // Not imported by name: loading it alone changes how every emitter works.
  const { create } = process.getBuiltinModule("node:domain") as unknown as { create(): Domain };
  const active = () => (process as { domain?: unknown }).domain;
  for (const [ClientClass, QueryClass] of classes) {
    const client = new ClientClass(url);
    await client.connect();
    const domain = create();
    const seen: unknown[] = [];
    const failed = new Promise<Error>((resolve) => domain.on("error", resolve));
    await new Promise<void>((resolve) =>
      domain.run(() => {
        client.query("select 1", () => {
          seen.push(active());
          client.query(
            new QueryClass("select 1", () => {
              seen.push(active());
              client.query(new QueryClass("select nonsense"));
              domain.exit();
              resolve();
            }),
          );
        });
      })
    );
    assert.match((await failed).message, /nonsense/);
    assert.deepEqual(seen, [domain, domain]);
    assert.equal(active() ?? null, null);
    await client.end();
  }
});

test("without a user in the environment, none is shown; but the operating system's is used", { skip: NODE }, () => {
  const kept = { ...process.env };
  for (const name of Object.keys(kept)) if (/^PG|^USER$/.test(name)) delete process.env[name];
  try {
    for (const [ClientClass] of classes) {
      const { user, database, connectionParameters } = new ClientClass();
      assert.deepEqual([user, database, connectionParameters.user], [undefined, undefined, undefined]);
      assert.equal(new ClientClass({ user: "someone" }).database, "someone");
    }
    process.env["USER"] = "someone";
    const { user, database } = new Client(); // node-postgres reads it once, when it is loaded
    assert.deepEqual([user, database], ["someone", "someone"]);
  } finally {
    Object.assign(process.env, kept);
    if (kept["USER"] === undefined) delete process.env["USER"];
  }
});
