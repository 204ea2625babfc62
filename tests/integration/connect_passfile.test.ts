/** Passwords from a password file, beside node-postgres, which has them from npm `pgpass`; and a service's connection. */

import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import pg from "pg";
import { Client, type ClientConfig } from "../../mod.ts";
import { connectionUrl, DATABASE, PASSWORDS } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const { host, port } = postgres;

const folder = mkdtempSync(join(tmpdir(), "pgduplex-passfile-"));
after(() => rmSync(folder, { recursive: true }));
const passfile = join(folder, "pgpass");
const escaped = (text: string) => text.replace(/[\\:]/g, "\\$&");
const lines = Object.entries(PASSWORDS).map(([user, password = ""]) =>
  `${host}:${port}:${DATABASE}:${user}:${escaped(password)}`
);
writeFileSync(passfile, [`# of the tests`, ...lines, ""].join("\n"), { mode: 0o600 });

type ClientClass = new (config: ClientConfig) => Client;
const classes: readonly ClientClass[] = [Client, pg.Client as unknown as ClientClass];
const place = { host, port, database: DATABASE };

/** Who the server takes us for, by a connection that is closed again. */
async function connectAs(config: ClientConfig, ClientClass: ClientClass = Client): Promise<string> {
  const client = new ClientClass(config);
  await client.connect();
  const { rows } = await client.query("select current_user::text as name");
  await client.end();
  return rows[0].name;
}

test("PGPASSFILE gives the password, for each way to authenticate", async () => {
  process.env.PGPASSFILE = passfile;
  try {
    for (const user of ["scram_user", "md5_user"] as const) {
      for (const ClientClass of classes) assert.equal(await connectAs({ ...place, user }, ClientClass), user);
      assert.equal(await connectAs({ ...place, user }), user, "and again, now that the method is known");
    }
  } finally {
    delete process.env.PGPASSFILE;
  }
});

test("the option and the parameter passfile give the password", async () => {
  const user = "scram_user";
  assert.equal(await connectAs({ ...place, user, passfile }), user);
  const keywords = `host=${host} port=${port} dbname=${DATABASE} user=${user} passfile=${passfile}`;
  assert.equal(await connectAs({ connectionString: keywords }), user);
  const url = new URL(connectionUrl(postgres, user));
  url.password = "";
  url.searchParams.set("passfile", passfile);
  assert.equal(await connectAs({ connectionString: url }), user);
});

test("~/.pgpass is read where nobody names a file", { skip: process.platform === "win32" && "no HOME" }, async () => {
  const home = process.env.HOME;
  process.env.HOME = folder;
  try {
    writeFileSync(join(folder, ".pgpass"), `*:*:*:scram_user:${escaped(PASSWORDS.scram_user)}\n`, { mode: 0o600 });
    for (const ClientClass of classes) {
      assert.equal(await connectAs({ ...place, user: "scram_user" }, ClientClass), "scram_user");
    }
  } finally {
    if (home === undefined) delete process.env.HOME;
    else process.env.HOME = home;
  }
});

test("a password that was said is not looked for; one that is in no file is missing", async () => {
  const refused = { code: "28P01" };
  await assert.rejects(connectAs({ ...place, user: "scram_user", password: "wrong", passfile }), refused);
  await assert.rejects(connectAs({ ...place, user: "scram_user", passfile: join(folder, "none") }), {
    code: "AUTH_PASSWORD_MISSING",
    hint: /password file/,
  });
});

test("a file that others may read is ignored with a warning, and not even looked at where no password is asked for", {
  skip: process.platform === "win32" && "its permissions are others",
}, async (t) => {
  const open = join(folder, "open");
  writeFileSync(open, `*:*:*:*:${escaped(PASSWORDS.scram_user)}\n`);
  chmodSync(open, 0o644);
  const warnings: string[] = [];
  t.mock.method(console, "warn", (warning: string) => void warnings.push(warning));
  assert.equal(await connectAs({ ...place, user: "trust_user", passfile: open }), "trust_user");
  assert.deepEqual(warnings, []);
  await assert.rejects(connectAs({ ...place, user: "scram_user", passfile: open }), { code: "AUTH_PASSWORD_MISSING" });
  assert.equal(warnings.length, 1);
  assert.match(warnings.join(), /the password file ".*open" is ignored/);
});

test("of several hosts each has its own line", async () => {
  const file = join(folder, "hosts");
  writeFileSync(file, `127.0.0.1:1:*:*:no\n127.0.0.1:${port}:*:*:${escaped(PASSWORDS.scram_user)}\n`, { mode: 0o600 });
  const config = { host: `127.0.0.1,${host}`, port: `1,${port}`, database: DATABASE, user: "scram_user" };
  assert.equal(await connectAs({ ...config, passfile: file }), "scram_user");
});

test("a service names the server, and the password file the password", async () => {
  const servicefile = join(folder, "services");
  writeFileSync(
    servicefile,
    `[test]\nhost=${host}\nport=${port}\ndbname=${DATABASE}\nuser=scram_user\npassfile=${passfile}\n`,
  );
  assert.equal(await connectAs({ service: "test", servicefile }), "scram_user");
  Object.assign(process.env, { PGSERVICE: "test", PGSERVICEFILE: servicefile });
  try {
    assert.equal(await connectAs({}), "scram_user");
    assert.equal(await connectAs({ user: "md5_user" }), "md5_user");
  } finally {
    for (const name of ["PGSERVICE", "PGSERVICEFILE"]) delete process.env[name];
  }
});
