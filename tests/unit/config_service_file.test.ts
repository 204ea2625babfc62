import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, afterEach, beforeEach, test } from "node:test";
import type { ClientConfig } from "../../src/config/client_config.ts";
import { resolveOptions } from "../../src/config/resolve.ts";
import { parseService } from "../../src/config/service_file.ts";
import { ConfigError } from "../../src/errors.ts";

const FILE = `
# for everybody
host=nobody.example.com

[shop]
 # the shop's
host=db.example.com
port=6432
dbname=shop
user=app
password=s3 cret#=1
options=-c search_path=a
port=7
[empty]
[shop]
host=never.example.com
[broken]
host = db.example.com
[nested]
service=shop
`;

test("a service's settings, byte by byte", () => {
  const shop = {
    host: "db.example.com",
    port: "6432",
    database: "shop",
    user: "app",
    password: "s3 cret#=1",
    options: "-c search_path=a",
  };
  const fields = (text: string, service: string) => {
    const map = parseService(text, service, "x");
    return map && Object.fromEntries(map);
  };
  assert.deepEqual(fields(FILE, "shop"), shop);
  assert.deepEqual(fields("\uFEFF" + FILE.replaceAll("\n", "\r\n"), "shop"), shop);
  assert.deepEqual(fields(FILE, "empty"), {});
  assert.equal(fields(FILE, "Shop"), undefined);
  assert.equal(fields("", "shop"), undefined);
  const refused = (service: string, line: number) =>
    assert.throws(() => fields(FILE, service), {
      code: "CONFIG_SERVICE",
      message: new RegExp(`line ${line} of .*"x"`),
    });
  refused("broken", 18);
  refused("nested", 20);
});

// -- where it is looked for, and what it is stronger than

const folder = mkdtempSync(join(tmpdir(), "pgduplex-service-"));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, "services");
writeFileSync(path, FILE);
writeFileSync(join(folder, ".pg_service.conf"), "[mine]\nhost=mine.example.com\n");
writeFileSync(join(folder, "pg_service.conf"), "[mine]\nhost=system.example.com\n[ours]\nhost=ours.example.com\n");

let saved: Record<string, string | undefined>;
beforeEach(() => {
  saved = { ...process.env };
  for (const name of Object.keys(process.env)) if (name.startsWith("PG")) delete process.env[name];
  Object.assign(process.env, { USER: "me", HOME: folder, APPDATA: folder });
});
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in saved)) delete process.env[name];
  Object.assign(process.env, saved);
});

const resolved = (input: string | ClientConfig | undefined) => {
  const { host, port, user, database, password, startupParameters } = resolveOptions(input);
  return { host, port, user, database, password, options: startupParameters.options };
};

test("what the program says is stronger than its service, and that than the environment", () => {
  Object.assign(process.env, { PGHOST: "env.example.com", PGAPPNAME: "env", PGSERVICEFILE: path });
  const shop = {
    host: "db.example.com",
    port: 6432,
    user: "app",
    database: "shop",
    password: "s3 cret#=1",
    options: "-c search_path=a",
  };
  for (
    const input of ["service=shop", "postgres://?service=shop", "postgresql:///?service=shop", { service: "shop" }]
  ) {
    assert.deepEqual(resolved(input), shop);
    assert.equal(resolveOptions(input).startupParameters.application_name, "env");
  }
  process.env.PGSERVICE = "shop";
  assert.deepEqual(resolved(undefined), shop);
  assert.deepEqual(resolved({ user: "boss", connectionString: "postgres:///books" }), {
    ...shop,
    user: "boss",
    database: "books",
  });
  process.env.PGSERVICE = "never mind";
  assert.deepEqual(resolved({ service: "shop", port: 1 }), { ...shop, port: 1 });
});

test("a service is looked for in the file that is named, or the user's, and then the system's", {
  skip: process.platform === "win32" && "paths are Windows's own",
}, () => {
  process.env.PGSYSCONFDIR = folder;
  assert.equal(resolved("service=mine").host, "mine.example.com");
  assert.equal(resolved("service=ours").host, "ours.example.com");
  assert.equal(resolved({ service: "mine", servicefile: path }).host, "system.example.com");
  assert.equal(resolved(`service=shop servicefile=${path}`).host, "db.example.com");
});

test("a service that is nowhere defined, and a file that is not there, are errors", () => {
  const cases: readonly (readonly [config: ClientConfig, code: string, message: RegExp])[] = [
    [{ service: "gone", servicefile: path }, "CONFIG_SERVICE", /"gone" is not defined in ".*services" \[/],
    [{ service: "shop", servicefile: join(folder, "no") }, "CONFIG_FILE", /no" cannot be read \((ENOENT|NotFound)\)/],
    [{ service: "broken", servicefile: path }, "CONFIG_SERVICE", /name=value/],
  ];
  for (const [config, code, message] of cases) {
    assert.throws(() => resolveOptions(config), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    });
  }
  process.env.HOME = process.env.APPDATA = join(folder, "nowhere");
  assert.throws(() => resolveOptions("service=mine"), { code: "CONFIG_SERVICE", message: /no service file is there/ });
});

test("where a setting was said is told, and no password is", () => {
  writeFileSync(join(folder, "wrong"), "[shop]\nport=many\npassword=s3cret\nsslmode=verify\n");
  assert.throws(() => resolveOptions({ service: "shop", servicefile: join(folder, "wrong") }), (error: Error) => {
    assert.match(error.message, /^port of the service "shop" in ".*wrong" must be a number/);
    assert.doesNotMatch(error.message, /s3cret/);
    return true;
  });
});
