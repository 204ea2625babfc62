/** slonik's own tests of its driver, as slonik publishes them, with our package in node-postgres's place. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { connectionUrl, startPostgres } from "../fixtures/postgres.ts";
import { nodeOf } from "../runtimes/node/runtime.ts";
import { installLibraries, NODE_VERSION } from "./install.ts";

/** Some terminate every other connection of the server, and some make users: it is theirs alone. */
const HBA = ["host all all all scram-sha-256"];
const AT_LEAST = 93;

test("slonik's own tests of its driver and of streams pass", async () => {
  const { folder } = await installLibraries();
  await using server = await startPostgres({ hba: HBA });
  const dsn = connectionUrl(server, "postgres", { database: "" }).replace(/\/$/, "");
  const ava = [join(folder, "node_modules/ava/entrypoints/cli.mjs"), "--tap"];
  const child = spawn(await nodeOf(NODE_VERSION), [...ava, "--config", "./programs/slonik_tests.config.mjs"], {
    cwd: folder,
    env: { ...Deno.env.toObject(), POSTGRES_DSN: dsn },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk) => output += chunk);
  child.stderr.on("data", (chunk) => output += chunk);
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const failed = output.split("\n").filter((line) => line.startsWith("not ok"));
  assert.deepEqual(failed, [], output);
  assert.equal(code, 0, output);
  const passed = output.split("\n").filter((line) => /^ok (?!.*# SKIP)/.test(line)).length;
  assert.ok(passed >= AT_LEAST, `only ${passed} ran`);
});
