import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestOption } from "../../src/config/known_options.ts";
import { resolveOptions } from "../../src/config/resolve.ts";

const nearest: readonly [typed: string, meant: string | undefined][] = [
  ["pasword", "password"],
  ["usre", "user"],
  ["databse", "database"],
  ["dataBase", "database"],
  ["ssl_mode", "sslmode"],
  ["sslMode", "sslmode"],
  ["connectionTimeout", "connectionTimeoutMillis"],
  ["applicationName", "application_name"],
  ["wsproxy", "wsProxy"],
  ["schema", undefined],
  ["pgbouncer", undefined],
];

test("a mistyped option finds the one that was meant", () => {
  for (const [typed, meant] of nearest) assert.equal(nearestOption(typed), meant, typed);
});

test("a library's own options are passed over in silence", (t) => {
  const warn = t.mock.method(console, "warn", () => {});
  resolveOptions({ user: "u", schedule: false, superviseIntervalSeconds: 5, clock: {} } as object);
  resolveOptions("postgres://u@h/db?schema=public&connection_limit=5&socket_timeout=3&pgbouncer=true");
  assert.equal(warn.mock.callCount(), 0);
});

test("a mistyped option is warned of once, by name alone, and ignored", (t) => {
  const warn = t.mock.method(console, "warn", () => {});
  const input = { user: "u", hosst: "secret-value", undefinedOnes: undefined };
  for (let i = 0; i < 2; i++) assert.equal(resolveOptions(input).host, "localhost");
  resolveOptions("postgres://u@h/db?hosst=secret-value&keepalives_count=secret-value&sslmode=require");
  assert.deepEqual(warn.mock.calls.map((call) => call.arguments), [
    ['pgduplex: unknown option "hosst" is ignored; did you mean "host"?'],
    ['pgduplex: the option "keepalives_count" of libpq is not supported and has no effect'],
  ]);
});

test("a pool's options are not unknown", (t) => {
  const warn = t.mock.method(console, "warn", () => {});
  resolveOptions({ user: "u", max: 5, min: 1, idleTimeoutMillis: 5, allowExitOnIdle: true, maxUses: 3 } as object);
  assert.equal(warn.mock.callCount(), 0);
});
