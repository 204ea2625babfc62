/** PostGraphile: introspection, a GraphQL schema, queries and mutations, with a pool passed in. @module */

import assert from "node:assert/strict";
import { grafast } from "postgraphile/grafast";
import { makeSchema } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { Pool } from "pg";
import { TOWNS } from "./stage.mjs";

export default async function run(stage) {
  const pool = new Pool(stage.connection);
  await pool.query(TOWNS);
  const service = makePgService({ pool, schemas: ["public"] });
  const preset = { extends: [PostGraphileAmberPreset], pgServices: [service] };
  const { schema, resolvedPreset } = await makeSchema(preset);
  const ask = async (source, variableValues) => {
    const result = await grafast({ schema, resolvedPreset, requestContext: {}, source, variableValues });
    return JSON.parse(JSON.stringify(result));
  };
  const create = (name) =>
    ask(
      "mutation($name: String!) { createTown(input: { town: { name: $name, inhabitants: 7 } }) { town { rowId } } }",
      {
        name,
      },
    );

  await stage.step("create", () => assert.ok(schema.getType("Town")));
  await stage.step("insert", async () => {
    assert.deepEqual(await create("Vienna"), { data: { createTown: { town: { rowId: 1 } } } });
    await create("Graz");
  });
  await stage.step("select", async () => {
    assert.deepEqual(await ask("{ allTowns(orderBy: ROW_ID_DESC) { totalCount nodes { name inhabitants mayors } } }"), {
      data: {
        allTowns: {
          totalCount: 2,
          nodes: [{ name: "Graz", inhabitants: 7, mayors: null }, { name: "Vienna", inhabitants: 7, mayors: null }],
        },
      },
    });
  });
  await stage.step("transaction", async () => {
    const client = await pool.connect();
    await client.query("begin");
    await client.query("delete from towns");
    const { data } = await ask('{ townByName(name: "Vienna") { name } }');
    assert.deepEqual(data.townByName, { name: "Vienna" });
    await client.query("rollback");
    client.release();
  });
  await stage.refusal(async () => {
    const result = await grafast({
      schema,
      resolvedPreset,
      requestContext: {},
      source: 'mutation { createTown(input: { town: { name: "Vienna" } }) { town { rowId } } }',
    });
    throw result.errors[0].originalError;
  });
  await service.release?.();
  if (!pool.ended) await pool.end();
}
