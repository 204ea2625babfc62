/**
 * OpenTelemetry's instrumentation of `pg`. It looks for a `pg` of version 8, and so is given our module by hand.
 *
 * @module
 */

import assert from "node:assert/strict";
import { PgInstrumentation } from "@opentelemetry/instrumentation-pg";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import pg from "pg";
import { TOWNS } from "./stage.mjs";

export default async function run(stage) {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const instrumentation = new PgInstrumentation({ enhancedDatabaseReporting: true });
  instrumentation.setTracerProvider(provider);
  const modules = { "pg": pg, "pg-pool": pg.Pool };
  const definitions = instrumentation.getModuleDefinitions();
  for (const { name, patch } of definitions) patch(modules[name]);
  const spans = () => {
    const names = exporter.getFinishedSpans().map(({ name }) => name.replace(/ ecosystem_.*/, ""));
    exporter.reset();
    return names;
  };

  const client = new pg.Client(stage.connection);
  await client.connect();
  await stage.step("create", async () => {
    await client.query(TOWNS);
    assert.deepEqual(spans(), ["pg.connect", "pg.query:CREATE"]);
  });
  await stage.step("insert", async () => {
    await client.query("insert into towns (name) values ($1)", ["Vienna"]);
    assert.deepEqual(exporter.getFinishedSpans()[0].attributes["db.postgresql.values"], ["Vienna"]);
    assert.deepEqual(spans(), ["pg.query:INSERT"]);
  });
  await stage.step("select", async () => {
    const { rows } = await new Promise((resolve, reject) =>
      client.query("select name from towns", (error, result) => error ? reject(error) : resolve(result))
    );
    assert.deepEqual(rows, [{ name: "Vienna" }]);
    assert.deepEqual(spans(), ["pg.query:SELECT"]);
  });
  await stage.step("transaction", async () => {
    for (const text of ["begin", "delete from towns", "rollback"]) await client.query(text);
    assert.deepEqual(spans(), ["pg.query:BEGIN", "pg.query:DELETE", "pg.query:ROLLBACK"]);
  });
  await stage.refusal(() => client.query("insert into towns (name) values ($1)", ["Vienna"]));
  assert.match(exporter.getFinishedSpans()[0].status.message, /duplicate key/);
  exporter.reset();
  await client.end();
  await stage.step("a pool", async () => {
    const pool = new pg.Pool(stage.connection);
    assert.deepEqual((await pool.query("select 1 as n")).rows, [{ n: 1 }]);
    await pool.end();
    assert.deepEqual(spans().sort(), ["pg-pool.connect", "pg.connect", "pg.query:SELECT"]);
  });
  for (const { name, unpatch } of definitions) unpatch(modules[name]);
}
