import assert from "node:assert/strict";
import process from "node:process";
import { afterEach, beforeEach, test } from "node:test";
import { inspect } from "node:util";
import type { ClientConfig as PgClientConfig } from "pg";
import type { ClientConfig } from "../../src/config/client_config.ts";
import { config } from "../../src/config/global.ts";
import type { ConnectionOptions } from "../../src/config/options.ts";
import { resolveOptions } from "../../src/config/resolve.ts";
import { ConfigError } from "../../src/errors.ts";

// The environment that every test starts with: a user, and nothing of PostgreSQL's.
let saved: Record<string, string | undefined>;
beforeEach(() => {
  saved = { ...process.env };
  for (const name of Object.keys(process.env)) if (name.startsWith("PG")) delete process.env[name];
  process.env.USER = "me";
});
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in saved)) delete process.env[name];
  Object.assign(process.env, saved);
  config.wsProxy = undefined;
  config.rootCerts = undefined;
});

test("nothing said gives the documented defaults", () => {
  assert.deepEqual({ ...resolveOptions(undefined) }, {
    host: "localhost",
    port: 5432,
    hosts: [{ host: "localhost", port: 5432 }],
    user: "me",
    userAssumed: false,
    database: "me",
    tls: resolveOptions({ user: "u" }).tls,
    tlsEngine: "auto",
    crypto: "auto",
    wsProxy: undefined,
    webSocket: undefined,
    openDuplex: undefined,
    keepAlive: true,
    keepAliveInitialDelayMillis: 0,
    connectionTimeoutMillis: 60_000,
    queryTimeoutMillis: 0,
    idleTimeoutMillis: 0,
    startupParameters: { client_encoding: "UTF8" },
    maxProtocolVersion: "3.0",
    minProtocolVersion: "3.0",
    requireAuth: undefined,
    channelBinding: "prefer",
    scramMaxIterations: undefined,
    allowCleartextPassword: false,
    speakFirst: true,
    binary: false,
    statementCache: 0,
    passfile: { path: undefined, hostName: undefined },
    targetSessionAttrs: "any",
    loadBalanceHosts: false,
  });
  assert.equal(resolveOptions(undefined).tls.mode, undefined);
});

test("connection string, options, environment, defaults: the first that says something wins", () => {
  const input: ClientConfig = {};
  const defaults: ClientConfig = {};
  const name = () => resolveOptions(input, defaults).startupParameters.application_name;
  assert.equal(name(), undefined);
  defaults.application_name = "defaults";
  assert.equal(name(), "defaults");
  process.env.PGAPPNAME = "environment";
  assert.equal(name(), "environment");
  input.application_name = "";
  input.fallback_application_name = "fallback";
  assert.equal(name(), "environment");
  input.application_name = "options";
  assert.equal(name(), "options");
  input.connectionString = "postgres://h/db";
  assert.equal(name(), "options");
  input.connectionString = "postgres://h/db?application_name=string";
  assert.equal(name(), "string");
});

const variables: readonly [variable: string, value: string, read: (o: ConnectionOptions) => unknown, unknown][] = [
  ["PGHOST", "h", (o) => o.host, "h"],
  ["PGHOST", "/run/postgresql", (o) => o.host, "/run/postgresql"],
  ["PGHOSTADDR", "10.0.0.1", (o) => o.host, "10.0.0.1"],
  ["PGPORT", "6432", (o) => o.port, 6432],
  ["PGUSER", "u", (o) => [o.user, o.database], ["u", "u"]],
  ["PGDATABASE", "d", (o) => o.database, "d"],
  ["PGPASSWORD", "p", (o) => o.password, "p"],
  ["PGSSLMODE", "no-verify", (o) => o.tls.mode, "no-verify"],
  ["PGSSLMODE", "allow", (o) => o.tls.mode, undefined],
  ["PGSSLNEGOTIATION", "direct", (o) => o.tls.negotiation, "direct"],
  ["PGAPPNAME", "a", (o) => o.startupParameters.application_name, "a"],
  ["PGOPTIONS", "-c a=b", (o) => o.startupParameters.options, "-c a=b"],
  ["PGTZ", "Asia/Tokyo", (o) => o.startupParameters.timezone, "Asia/Tokyo"],
  ["PGCLIENTENCODING", "LATIN1", (o) => o.startupParameters.client_encoding, "UTF8"],
  ["PGCONNECT_TIMEOUT", "7", (o) => o.connectionTimeoutMillis, 7000],
  ["PGCONNECT_TIMEOUT", "0", (o) => o.connectionTimeoutMillis, 0],
  ["PGCONNECT_TIMEOUT", "-1", (o) => o.connectionTimeoutMillis, 0],
  ["PGCHANNELBINDING", "require", (o) => o.channelBinding, "require"],
  ["PGREQUIREAUTH", "!password,!md5", (o) => o.requireAuth, { negated: true, methods: ["password", "md5"] }],
  ["PGMAXPROTOCOLVERSION", "latest", (o) => o.maxProtocolVersion, "3.2"],
];

test("environment variables say what libpq and node-postgres take them to say", () => {
  for (const [variable, value, read, expected] of variables) {
    process.env[variable] = value;
    assert.deepEqual(read(resolveOptions(undefined)), expected, `${variable}=${value}`);
    delete process.env[variable];
  }
});

const accepted: readonly [input: string | URL | ClientConfig, read: (o: ConnectionOptions) => unknown, unknown][] = [
  ["db", (o) => [o.host, o.database], ["localhost", "db"]],
  [new URL("postgres://u:p@h:1/d"), (o) => [o.host, o.port, o.user, o.password, o.database], ["h", 1, "u", "p", "d"]],
  [{ connectionString: "postgres://h/d", user: "u", password: "p" }, (o) => [o.user, o.password], ["u", "p"]],
  [{ connectionString: "postgres://a@h/d", user: "u" }, (o) => o.user, "a"],
  [{ host: "@abstract" }, (o) => o.host, "@abstract"],
  [{ host: "[::1]" }, (o) => o.host, "::1"],
  [{ port: "6543" }, (o) => o.port, 6543],
  [{ port: NaN }, (o) => o.port, 5432],
  [{ user: "u", database: "" }, (o) => o.database, "u"],
  ["hostaddr=10.0.0.1 host=db.example.com", (o) => [o.host, o.tls.serverName], ["10.0.0.1", "db.example.com"]],
  ["hostaddr=::1", (o) => [o.host, o.tls.serverName], ["::1", undefined]],
  ["postgres://h/d?connect_timeout=3", (o) => o.connectionTimeoutMillis, 3000],
  [{ connectionTimeoutMillis: 0 }, (o) => o.connectionTimeoutMillis, 0],
  [{ connectionTimeoutMillis: 250, connect_timeout: 9 }, (o) => o.connectionTimeoutMillis, 250],
  [{ query_timeout: 1500.7 }, (o) => o.queryTimeoutMillis, 1500],
  [{ query_timeout: false }, (o) => o.queryTimeoutMillis, 0],
  [{ idleTimeoutMillis: Infinity }, (o) => o.idleTimeoutMillis, 0],
  [
    { statement_timeout: 5, lock_timeout: 6, idle_in_transaction_session_timeout: 7 },
    (o) => o.startupParameters,
    {
      client_encoding: "UTF8",
      statement_timeout: "5",
      lock_timeout: "6",
      idle_in_transaction_session_timeout: "7",
    },
  ],
  [{ statement_timeout: false, lock_timeout: 0 }, (o) => o.startupParameters, { client_encoding: "UTF8" }],
  ["postgres://h/d?statement_timeout=5", (o) => o.startupParameters.statement_timeout, "5"],
  [{ replication: true }, (o) => o.startupParameters.replication, "true"],
  [{ replication: "database" }, (o) => o.startupParameters.replication, "database"],
  ["keepalives=0 keepalives_idle=30", (o) => [o.keepAlive, o.keepAliveInitialDelayMillis], [false, 30_000]],
  [{ keepAlive: false, keepAliveInitialDelayMillis: 5 }, (o) => [o.keepAlive, o.keepAliveInitialDelayMillis], [
    false,
    5,
  ]],
  [{ enableChannelBinding: false }, (o) => o.channelBinding, "disable"],
  [{ enableChannelBinding: true }, (o) => o.channelBinding, "prefer"],
  [{ require_auth: "scram-sha-256, gss" }, (o) => o.requireAuth, { negated: false, methods: ["scram-sha-256"] }],
  [{ requireAuth: ["!none"] }, (o) => o.requireAuth, { negated: true, methods: ["none"] }],
  [{ minProtocolVersion: "3.2" }, (o) => [o.minProtocolVersion, o.maxProtocolVersion], ["3.2", "3.2"]],
  [{ binary: true, speakFirst: false, allowCleartextPassword: true }, (o) => [
    o.binary,
    o.speakFirst,
    o.allowCleartextPassword,
  ], [true, false, true]],
];

test("options mean what they are documented to mean", () => {
  for (const [input, read, expected] of accepted) {
    assert.deepEqual(read(resolveOptions(input)), expected, inspect(input));
  }
});

test("a host said by the client is not diverted by PGHOSTADDR", () => {
  process.env.PGHOSTADDR = "10.0.0.1";
  assert.equal(resolveOptions({ host: "db.example.com" }).host, "db.example.com");
  process.env.PGHOST = "db.example.com";
  const { host, tls } = resolveOptions(undefined);
  assert.deepEqual([host, tls.serverName], ["10.0.0.1", "db.example.com"]);
});

test("a password may be a function, which is not called", () => {
  const password = () => assert.fail("called");
  assert.equal(resolveOptions({ password }).password, password);
});

test("the global wsProxy holds for clients that say nothing; false takes one out", () => {
  config.wsProxy = "proxy.example.com";
  assert.equal(resolveOptions({}).wsProxy, "proxy.example.com");
  assert.equal(resolveOptions({ wsProxy: "other.example.com" }).wsProxy, "other.example.com");
  assert.equal(resolveOptions({ wsProxy: false }).wsProxy, undefined);
});

const SECRET = "hunter2";
const url = `postgres://u:${SECRET}@h/db`;
const refused: readonly [input: unknown, code: string, words: RegExp][] = [
  [{ port: "abc" }, "CONFIG_PORT", /port must be a number from 1 to 65535, not "abc"/],
  [{ port: 65536 }, "CONFIG_PORT", /not 65536/],
  [{ port: -1 }, "CONFIG_PORT", /not -1/],
  [{ port: 5432.5 }, "CONFIG_PORT", /not 5432.5/],
  [`postgres://u:${SECRET}@h:0/db`, "CONFIG_PORT", /in the connection string/],
  [`postgres://u:${SECRET}@h:99999/db`, "CONFIG_PORT", /in the connection string/],
  [`${url}?sslmode=on`, "CONFIG_SSLMODE", /one of disable, .* no-verify/],
  [{ sslmode: "on" }, "CONFIG_SSLMODE", /not "on"/],
  [{ ssl: "yes" }, "CONFIG_VALUE", /ssl/],
  [{ host: "a\0b" }, "CONFIG_NUL", /host/],
  [{ user: "a\0b" }, "CONFIG_NUL", /user/],
  [{ database: "a\0b" }, "CONFIG_NUL", /database/],
  [{ password: `${SECRET}\0` }, "CONFIG_NUL", /password/],
  [{ options: "a\0b" }, "CONFIG_NUL", /options/],
  [{ application_name: "a\0b" }, "CONFIG_NUL", /application_name/],
  [`postgres://u:${SECRET}@h/d%00b`, "CONFIG_NUL", /database/],
  [{ host: `postgres://u:${SECRET}@h` }, "CONFIG_HOST", /host name/],
  [{ host: "my host" }, "CONFIG_HOST", /host name/],
  [{ host: "a,b", hostaddr: "127.0.0.1" } as never, "CONFIG_HOSTS", /one host/],
  [{ host: "a,b", port: "1,2,3" }, "CONFIG_PORT", /3 ports for 2 hosts/],
  [{ host: "a,b", port: "1,x" }, "CONFIG_PORT", /1 to 65535/],
  [{ host: "a,b c" }, "CONFIG_HOST", /host/],
  [{ target_session_attrs: "master" as never }, "CONFIG_VALUE", /read-write/],
  [{ load_balance_hosts: "yes" as never }, "CONFIG_VALUE", /random/],
  ["hostaddr=example.com", "CONFIG_HOST", /an IP address/],
  [{ host: 42 }, "CONFIG_VALUE", /a string, not 42/],
  [{ password: 4242 }, "CONFIG_VALUE", /password must be a string/],
  [{ connectionTimeoutMillis: "soon" }, "CONFIG_VALUE", /milliseconds, from 0 to/],
  [{ query_timeout: -5 }, "CONFIG_VALUE", /milliseconds/],
  [{ statement_timeout: 2 ** 31 }, "CONFIG_VALUE", /2147483647/],
  [{ statement_timeout: "5s" }, "CONFIG_VALUE", /statement_timeout/],
  [`${url}?connect_timeout=soon`, "CONFIG_VALUE", /seconds/],
  [{ keepAlive: "maybe" }, "CONFIG_VALUE", /true or false/],
  [{ wsProxy: 8080 }, "CONFIG_VALUE", /wsProxy/],
  [{ openDuplex: "tcp" }, "CONFIG_VALUE", /a function/],
  [{ sslnegotiation: "indirect" }, "CONFIG_VALUE", /postgres, direct/],
  [{ channelBinding: "always" }, "CONFIG_VALUE", /disable, prefer, require/],
  [{ requireAuth: "scram" }, "CONFIG_REQUIRE_AUTH", /scram-sha-256/],
  [{ requireAuth: "gss" }, "CONFIG_REQUIRE_AUTH", /list of/],
  [{ requireAuth: "md5,!password" }, "CONFIG_REQUIRE_AUTH", /mixes/],
  [{ minProtocolVersion: "3.2", maxProtocolVersion: "3.0" }, "CONFIG_VALUE", /above/],
  [{ maxProtocolVersion: "4.0" }, "CONFIG_VALUE", /3\.2/],
  [{ scramMaxIterations: -1 }, "CONFIG_VALUE", /scramMaxIterations/],
  [{ connectionString: 5 }, "CONFIG_VALUE", /connectionString/],
  [42, "CONFIG_VALUE", /the options/],
];

test("a value that cannot be used is a ConfigError with a stable code, and without the password", () => {
  for (const [input, code, words] of refused) {
    assert.throws(() => resolveOptions(input as ClientConfig), (error: unknown) => {
      assert.ok(error instanceof ConfigError, inspect(input));
      assert.equal(error.code, code, inspect(input));
      assert.equal(error.phase, "config");
      assert.match(error.message, words);
      assert.ok(!inspect(error, { showHidden: true, depth: null }).includes(SECRET), inspect(input));
      return true;
    }, inspect(input));
  }
});

test("an environment variable that cannot be used is named", () => {
  process.env.PGPORT = "x";
  assert.throws(() => resolveOptions({}), { code: "CONFIG_PORT", message: /PGPORT/ });
});

test("the password is there to be read, and shows nowhere", () => {
  const options = resolveOptions(`postgres://u:${SECRET}@h/db`);
  assert.equal(options.password, SECRET);
  const deno = (globalThis as { Deno?: { inspect(value: unknown, options: object): string } }).Deno;
  const shown = [
    inspect(options, { depth: null }),
    inspect(options, { depth: null, showHidden: true }),
    JSON.stringify(options),
    JSON.stringify(Object.entries({ ...options })),
    deno?.inspect(options, { depth: 9, showHidden: true }) ?? "",
  ];
  for (const text of shown) assert.ok(!text.includes(SECRET), text);
});

test("resolved options are frozen to the last", () => {
  const options = resolveOptions({ user: "u", requireAuth: "md5", application_name: "a", sslmode: "require" });
  for (const value of [options, options.tls, options.startupParameters, options.requireAuth]) {
    assert.ok(Object.isFrozen(value), inspect(value));
  }
});

test("node-postgres's options are accepted as they are typed there", () => {
  const theirs: PgClientConfig = { host: "h", ssl: { ca: ["x"], minVersion: "TLSv1.2" }, keepAlive: true };
  const ours: ClientConfig = theirs;
  assert.equal(ours.host, "h");
});

test("the environment's run-time parameters are libpq's; a date style keeps its order, in ISO", () => {
  const cases: readonly (readonly [variable: string, value: string, parameter: string, expected: string])[] = [
    ["PGTZ", "Europe/Berlin", "timezone", "Europe/Berlin"],
    ["PGGEQO", "off", "geqo", "off"],
    ["PGDATESTYLE", "ISO", "datestyle", "ISO"],
    ["PGDATESTYLE", "ISO, DMY", "datestyle", "ISO, DMY"],
    ["PGDATESTYLE", "SQL, mdy", "datestyle", "ISO, MDY"],
    ["PGDATESTYLE", "German", "datestyle", "ISO, DMY"],
    ["PGDATESTYLE", "Postgres, European", "datestyle", "ISO, DMY"],
    ["PGDATESTYLE", "NonEuropean", "datestyle", "ISO, MDY"],
    ["PGDATESTYLE", "us", "datestyle", "ISO, MDY"],
    ["PGAPPNAME", "shop", "application_name", "shop"],
    ["PGOPTIONS", "-c geqo=off", "options", "-c geqo=off"],
  ];
  for (const [variable, value, parameter, expected] of cases) {
    process.env[variable] = value;
    assert.equal(resolveOptions(undefined).startupParameters[parameter], expected, `${variable}=${value}`);
    delete process.env[variable];
  }
});

test("every other variable of libpq that matters is read, and a client that says otherwise wins", () => {
  type Read = (options: ConnectionOptions) => unknown;
  const cases: readonly (readonly [variable: string, value: string, read: Read, expected: unknown])[] = [
    ["PGHOST", "a", ({ host }) => host, "a"],
    ["PGHOSTADDR", "192.0.2.1", ({ host }) => host, "192.0.2.1"],
    ["PGPORT", "1", ({ port }) => port, 1],
    ["PGPASSFILE", "/x", ({ passfile }) => passfile.path, "/x"],
    ["PGCONNECT_TIMEOUT", "7", ({ connectionTimeoutMillis }) => connectionTimeoutMillis, 7000],
    ["PGSSLMODE", "require", ({ tls }) => tls.mode, "require"],
    ["PGSSLNEGOTIATION", "direct", ({ tls }) => tls.negotiation, "direct"],
    ["PGCHANNELBINDING", "require", ({ channelBinding }) => channelBinding, "require"],
    ["PGREQUIREAUTH", "md5", ({ requireAuth }) => requireAuth?.methods, ["md5"]],
    ["PGTARGETSESSIONATTRS", "primary", ({ targetSessionAttrs }) => targetSessionAttrs, "primary"],
    ["PGLOADBALANCEHOSTS", "random", ({ loadBalanceHosts }) => loadBalanceHosts, true],
    ["PGMAXPROTOCOLVERSION", "3.2", ({ maxProtocolVersion }) => maxProtocolVersion, "3.2"],
    ["PGMINPROTOCOLVERSION", "3.2", ({ minProtocolVersion }) => minProtocolVersion, "3.2"],
    ["PGBINARY", "true", ({ binary }) => binary, true],
    ["PGCLIENTENCODING", "LATIN1", ({ startupParameters }) => startupParameters.client_encoding, "UTF8"],
  ];
  for (const [variable, value, read, expected] of cases) {
    process.env[variable] = value;
    assert.deepEqual(read(resolveOptions(undefined)), expected, variable);
    delete process.env[variable];
  }
  Object.assign(process.env, { PGPASSFILE: "/x", PGSSLMODE: "require" });
  const { passfile, tls } = resolveOptions({ passfile: "/y", ssl: false });
  assert.deepEqual([passfile.path, tls.mode], ["/y", "disable"]);
});

test("what libpq can insist on and nothing here can do is refused, never ignored", () => {
  const tls = "sslmode=verify-full";
  const cases: readonly (readonly [variable: string, config: string, harmless: string])[] = [
    ["PGSSLCRL", `${tls} sslcrl=/x`, "sslmode=disable sslcrl=/x"],
    ["PGSSLCRLDIR", `${tls} sslcrldir=/x`, "sslcrldir=/x"],
    ["PGSSLCERTMODE", `${tls} sslcertmode=require`, `${tls} sslcertmode=allow`],
    ["PGREQUIREPEER", "host=/tmp requirepeer=postgres", "host=localhost requirepeer=postgres"],
    ["PGGSSENCMODE", "gssencmode=require", "gssencmode=prefer"],
  ];
  for (const [variable, config, harmless] of cases) {
    const refused = { code: "CONFIG_UNSUPPORTED", message: /cannot be honoured here: / };
    assert.throws(() => resolveOptions(config), refused, config);
    resolveOptions(harmless);
    const [said, value] = config.split(" ").at(-1)?.split("=") ?? [];
    process.env[variable] = value;
    assert.throws(() => resolveOptions(config.replace(`${said}=${value}`, "")), refused, variable);
    delete process.env[variable];
  }
});
