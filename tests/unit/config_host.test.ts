import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { env, homeDirectory, readTextFile, readTextFileIfPresent, userName } from "../../src/config/host.ts";

test("the machine answers: environment, user, home directory, files", () => {
  process.env.PGDUPLEX_TEST = "x";
  assert.equal(env("PGDUPLEX_TEST"), "x");
  process.env.PGDUPLEX_TEST = "";
  assert.equal(env("PGDUPLEX_TEST"), undefined, "empty is unset");
  delete process.env.PGDUPLEX_TEST;
  assert.ok(userName());
  assert.ok(existsSync(homeDirectory() ?? ""));
  assert.equal(readTextFileIfPresent("/nowhere/at/all"), undefined);
  assert.throws(() => readTextFile("/nowhere/at/all"), { code: "ENOENT" });
});

const source = new URL("../../src/config/resolve.ts", import.meta.url);
const passfile = new URL("../../src/config/passfile.ts", import.meta.url);
const onDeno = "Deno" in globalThis && existsSync(source);

test("what Deno does not permit reads as absent, without a question", {
  skip: onDeno ? false : "permissions are Deno's, and the program here is its source",
}, (t) => {
  const program = `
    import { resolveOptions } from ${JSON.stringify(source.href)};
    import { passwordFile } from ${JSON.stringify(passfile.href)};
    const { host, port, user } = resolveOptions({ user: "u" });
    console.log(host, port, user);
    try { resolveOptions({}) } catch (error) { console.log(error.code) }
    try { resolveOptions("postgres://u@h/d?sslrootcert=/root.crt") } catch (error) { console.log(error.code, error.cause?.name) }
    console.warn = console.log;
    console.log(passwordFile(undefined));
    console.log(passwordFile("/root.crt"));
  `;
  const folder = mkdtempSync(join(tmpdir(), "pgduplex-host-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "program.ts"), program);
  // Denied outright, since Deno's node:child_process permits everything else to a Deno that it starts.
  const options = ["run", "--quiet", "--no-check", "--no-config", "--deny-env", "--deny-sys", "--deny-read=/root.crt"];
  const output = execFileSync(process.execPath, [...options, join(folder, "program.ts")], {
    env: { ...process.env, PGHOST: "elsewhere", PGPORT: "1", PGUSER: "somebody", NO_COLOR: "1" },
    encoding: "utf8",
  });
  assert.deepEqual(output.trim().split("\n"), [
    "localhost 5432 u",
    "CONFIG_USER",
    "CONFIG_FILE NotCapable",
    "undefined",
    'pgduplex: the password file "/root.crt" is ignored: it cannot be read (NotCapable)',
    "undefined",
  ]);
});
