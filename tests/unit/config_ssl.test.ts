import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { inspect } from "node:util";
import type { ClientConfig } from "../../src/config/client_config.ts";
import { config } from "../../src/config/global.ts";
import type { TlsRequest } from "../../src/config/options.ts";
import { resolveOptions } from "../../src/config/resolve.ts";
import { ConfigError } from "../../src/errors.ts";

const ROOT = "-----BEGIN CERTIFICATE-----\nroot\n-----END CERTIFICATE-----\n";
const OTHER_ROOT = ROOT.replace("root", "other");
const CERT = ROOT.replace("root", "client");
const KEY = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n";

let folder: string;
let saved: Record<string, string | undefined>;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "pgduplex-ssl-"));
  for (const [name, text] of [["root.crt", ROOT], ["client.crt", CERT], ["client.key", KEY], ["no.pem", "text"]]) {
    writeFileSync(join(folder, name), text);
  }
  mkdirSync(join(folder, "home/.postgresql"), { recursive: true });
  writeFileSync(join(folder, "home/.postgresql/root.crt"), OTHER_ROOT);
});
after(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  saved = { ...process.env };
  for (const name of Object.keys(process.env)) if (name.startsWith("PG")) delete process.env[name];
  process.env.HOME = folder;
  process.env.USER = "me";
});
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in saved)) delete process.env[name];
  Object.assign(process.env, saved);
  config.rootCerts = undefined;
});

function tls(input: string | ClientConfig, defaults?: ClientConfig): TlsRequest {
  return resolveOptions(input, defaults).tls;
}

const modes: readonly [input: string | ClientConfig, mode: TlsRequest["mode"]][] = [
  ["postgres://h/d", undefined],
  ["postgres://h/d?ssl=true", "verify-full"],
  ["postgres://h/d?ssl=1", "verify-full"],
  ["postgres://h/d?ssl=0", "disable"],
  ["postgres://h/d?ssl=false", "disable"],
  ["postgres://h/d?ssl=no-verify", "no-verify"],
  ["postgres://h/d?ssl=true&sslmode=disable", "disable"],
  ["postgres://h/d?sslmode=no-verify", "no-verify"],
  ["postgres://h/d?sslmode=allow", "allow"],
  ["postgres://h/d?sslnegotiation=direct", "verify-full"],
  ["postgres://h/d?sslnegotiation=direct&sslmode=require", "require"],
  ["postgres://h/d?sslrootcert=system", "verify-full"],
  ["host=h sslmode=verify-ca", "verify-ca"],
  [{ ssl: true }, "verify-full"],
  [{ ssl: false }, "disable"],
  [{ ssl: "no-verify" }, "no-verify"],
  [{ ssl: {} }, "verify-full"],
  [{ ssl: { rejectUnauthorized: true } }, "verify-full"],
  [{ ssl: { rejectUnauthorized: false } }, "no-verify"],
  [{ ssl: { rejectUnauthorized: false }, sslmode: "require" }, "require"],
  [{ sslmode: "prefer" }, "prefer"],
  [{ rootCerts: ROOT }, "verify-full"],
  [{ sslnegotiation: "direct" }, undefined],
  [{ connectionString: "postgres://h/d?sslmode=verify-full", ssl: { rejectUnauthorized: false } }, "verify-full"],
  [{ connectionString: "postgres://h/d?sslmode=no-verify", ssl: true }, "no-verify"],
  [{ connectionString: "postgres://h/d", ssl: true }, "verify-full"],
];

test("ssl, sslmode and what implies them become one mode", () => {
  for (const [input, mode] of modes) assert.equal(tls(input).mode, mode, inspect(input));
});

test("the mode of the environment and of the defaults is weaker than the client's", () => {
  assert.equal(tls({}, { ssl: false }).mode, undefined, "the defaults' false is nobody's wish");
  assert.equal(tls({}, { ssl: true }).mode, "verify-full");
  process.env.PGSSLMODE = "disable";
  assert.equal(tls({}, { ssl: true }).mode, "disable");
  assert.equal(tls({ ssl: true }).mode, "verify-full");
  process.env.PGSSLMODE = "allow";
  assert.equal(tls({}).mode, undefined, "node-postgres does not know PGSSLMODE=allow");
  assert.equal(tls({ uselibpqcompat: true }).mode, "allow");
  process.env.PGSSLMODE = "sometimes";
  assert.throws(() => tls({}), { code: "CONFIG_SSLMODE", message: /PGSSLMODE/ });
});

test("roots come from the string, the options, the environment, the global settings, in this order", () => {
  config.rootCerts = [OTHER_ROOT];
  assert.deepEqual(tls({ ssl: true }).rootCerts, [OTHER_ROOT]);
  process.env.PGSSLROOTCERT = join(folder, "root.crt");
  assert.deepEqual(tls({ ssl: true }).rootCerts, [ROOT]);
  assert.equal(tls({}).mode, undefined, "PGSSLROOTCERT does not turn TLS on");
  assert.deepEqual(tls({ rootCerts: [CERT] }).rootCerts, [CERT]);
  assert.deepEqual(tls({ rootCerts: [CERT], ssl: { ca: [OTHER_ROOT, ROOT] } }).rootCerts, [OTHER_ROOT, ROOT]);
  assert.deepEqual(tls({ ssl: { ca: new TextEncoder().encode(CERT) } }).rootCerts, [CERT]);
  assert.deepEqual(tls({ sslrootcert: ROOT }).rootCerts, [ROOT]);
  const connectionString = `postgres://h/d?sslrootcert=${join(folder, "root.crt")}`;
  assert.deepEqual(tls({ connectionString, ssl: { ca: CERT } }).rootCerts, [ROOT]);
  assert.equal(tls("postgres://h/d?sslrootcert=system").rootCerts, undefined);
  assert.equal(tls("postgres://h/d?sslrootcert=system").systemRoots, true);
  assert.equal(tls("postgres://h/d?sslmode=require").systemRoots, false);
});

test("a mode of the string leaves the authority of the ssl object in place", () => {
  const request = tls({ connectionString: "postgres://h/d?sslmode=require", ssl: { ca: ROOT, servername: "s" } });
  assert.deepEqual([request.mode, request.rootCerts, request.serverName], ["require", [ROOT], "s"]);
});

test("with libpq's meanings ~/.postgresql/root.crt counts, unless roots are named", () => {
  process.env.HOME = join(folder, "home");
  const compat = "postgres://h/d?uselibpqcompat=true&sslmode=require";
  assert.deepEqual(tls(compat).rootCerts, [OTHER_ROOT]);
  assert.deepEqual(tls(`${compat}&sslrootcert=${join(folder, "root.crt")}`).rootCerts, [ROOT]);
  assert.equal(tls("postgres://h/d?sslmode=require").rootCerts, undefined);
  process.env.HOME = folder;
  assert.equal(tls(compat).rootCerts, undefined);
});

test("a client certificate is read from files, text or bytes", () => {
  const [cert, key] = [join(folder, "client.crt"), join(folder, "client.key")];
  const cases: readonly (string | ClientConfig)[] = [
    `postgres://h/d?sslcert=${cert}&sslkey=${key}`,
    `host=h sslcert='${cert}' sslkey='${key}'`,
    { sslcert: CERT, sslkey: key },
    { ssl: { cert: CERT, key: new TextEncoder().encode(KEY) } },
    { ssl: { cert: [CERT], key: [KEY] } },
  ];
  for (const input of cases) {
    const { mode, clientCertificate } = tls(input);
    assert.equal(mode, "verify-full");
    assert.deepEqual({ ...clientCertificate }, { cert: CERT, key: KEY, passphrase: undefined }, inspect(input));
  }
  assert.equal(tls({ ssl: { cert: CERT, key: KEY, passphrase: "p" } }).clientCertificate?.passphrase, "p");
  assert.equal(tls({ ssl: false, sslcert: "/nowhere", sslkey: "/nowhere" }).clientCertificate, undefined);
});

test("what only Node understands is kept for Node", () => {
  const checkServerIdentity = () => undefined;
  const { nodeOptions, rootCerts } = tls({ ssl: { ciphers: "HIGH", checkServerIdentity, ca: ROOT } });
  assert.deepEqual(nodeOptions, { ciphers: "HIGH", checkServerIdentity });
  assert.deepEqual(rootCerts, [ROOT]);
  assert.deepEqual(tls({ ssl: { pfx: "bytes", passphrase: "p" } }).nodeOptions, { pfx: "bytes", passphrase: "p" });
  assert.deepEqual(tls({ ssl: { cert: [CERT, CERT], key: [KEY, KEY] } }).nodeOptions, {
    cert: [CERT, CERT],
    key: [KEY, KEY],
  });
  assert.equal(tls({ ssl: { rejectUnauthorized: false } }).nodeOptions, undefined);
  const { mode, nodeOptions: none } = tls({ ssl: { require: true, rejectUnauthorized: false } });
  assert.deepEqual([mode, none], ["no-verify", undefined], "Sequelize's `require` says what any object says");
});

test("the versions of TLS are Node's or libpq's, and the same everywhere", () => {
  const cases: readonly [input: string | ClientConfig, min: string | undefined, max: string | undefined][] = [
    [{ ssl: true }, undefined, undefined],
    [{ ssl: { minVersion: "TLSv1.3" } }, "TLSv1.3", undefined],
    [{ ssl: { minVersion: "TLSv1", maxVersion: "TLSv1.2" } }, "TLSv1", "TLSv1.2"],
    ["postgres://h/d?ssl_min_protocol_version=TLSv1.2&ssl_max_protocol_version=TLSv1.3", "TLSv1.2", "TLSv1.3"],
    [{ ssl_max_protocol_version: "TLSv1.2", ssl: { maxVersion: "TLSv1.3" } }, undefined, "TLSv1.2"],
  ];
  for (const [input, min, max] of cases) {
    const { minVersion, maxVersion, nodeOptions } = tls(input);
    assert.deepEqual([minVersion, maxVersion, nodeOptions], [min, max, undefined], inspect(input));
  }
  process.env.PGSSLMINPROTOCOLVERSION = "TLSv1.3";
  assert.equal(tls({}).minVersion, "TLSv1.3");
  process.env.PGSSLMAXPROTOCOLVERSION = "TLSv1.2";
  assert.throws(() => tls({}), { code: "CONFIG_VALUE", message: /TLSv1\.3, is newer than the newest, TLSv1\.2/ });
});

const SECRET = "hunter2";
const refused: readonly [input: string | ClientConfig, code: string, words: RegExp][] = [
  ["postgres://h/d?sslrootcert=/nowhere/root.crt", "CONFIG_FILE", /"\/nowhere\/root.crt" cannot be read \(ENOENT\)/],
  [{ sslcert: CERT, sslkey: `not-pem-${SECRET}` }, "CONFIG_FILE", /sslkey .*file it names/],
  [{ sslcert: CERT }, "CONFIG_VALUE", /sslcert is given without its key/],
  [{ ssl: { key: KEY } }, "CONFIG_VALUE", /ssl.key is given without the certificate/],
  [{ ssl: { ca: "root.crt" } }, "CONFIG_PEM", /ssl.ca is not PEM/],
  [{ ssl: { cert: CERT, key: SECRET } }, "CONFIG_PEM", /ssl.key is not PEM/],
  [{ ssl: { cert: CERT, key: KEY, passphrase: 42 } }, "CONFIG_VALUE", /ssl.passphrase must be a string$|string \[/],
  [{ rootCerts: [ROOT, "x"] }, "CONFIG_PEM", /rootCerts/],
  [{ ssl: { minVersion: "1.2" } }, "CONFIG_VALUE", /ssl\.minVersion must be .*TLSv1\.2/],
  [{ ssl: { maxVersion: 771 } }, "CONFIG_VALUE", /ssl\.maxVersion/],
  ["postgres://h/d?ssl_min_protocol_version=SSLv3", "CONFIG_VALUE", /ssl_min_protocol_version/],
  [{ ssl: { minVersion: "TLSv1.3", maxVersion: "TLSv1.2" } }, "CONFIG_VALUE", /newer than the newest/],
  ["postgres://h/d?uselibpqcompat=true&sslmode=require&sslrootcert=system", "CONFIG_SSLMODE", /verify-full/],
];

test("a file or a certificate that cannot be used is refused at once, and no key is shown", () => {
  for (const [input, code, words] of refused) {
    assert.throws(() => tls(input), (error: unknown) => {
      assert.ok(error instanceof ConfigError, inspect(error));
      assert.equal(error.code, code, inspect(input));
      assert.match(error.message, words);
      assert.ok(!inspect(error, { depth: null, showHidden: true }).includes(SECRET), inspect(input));
      return true;
    });
  }
  assert.throws(() => tls({ ssl: true, sslrootcert: join(folder, "no.pem") }), { code: "CONFIG_PEM" });
  config.rootCerts = "x";
  assert.throws(() => tls({ ssl: true }), { code: "CONFIG_PEM", message: /global config.rootCerts/ });
});

test("keys and passphrases can be read, and show nowhere", () => {
  for (const ssl of [{ cert: CERT, key: KEY, passphrase: SECRET }, { pfx: SECRET, passphrase: SECRET }]) {
    const options = resolveOptions({ ssl });
    const shown = [
      inspect(options, { depth: null, showHidden: true }),
      JSON.stringify(options),
      JSON.stringify({ ...options.tls }),
    ];
    for (const text of shown) assert.ok(!text.includes(SECRET), text);
  }
});
