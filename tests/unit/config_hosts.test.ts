import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClientConfig } from "../../src/config/client_config.ts";
import { resolveOptions } from "../../src/config/resolve.ts";

const cases: readonly (readonly [string | ClientConfig, string])[] = [
  [{ host: "a" }, "a:5432"],
  ["postgres://u:p@a,b/db", "a:5432 b:5432"],
  ["postgres://u:p@a:1,b:2/db", "a:1 b:2"],
  ["postgres://u:p@a:1,b,c:3/db", "a:1 b:5432 c:3"],
  ["postgres://u:p@[::1]:1,[fe80::2]/db", "::1:1 fe80::2:5432"],
  ["postgres://u@/db?host=a,b&port=7", "a:7 b:7"],
  ["host=a,b port=1,2 user=u dbname=d", "a:1 b:2"],
  [{ host: "a, b", port: "1,2" }, "a:1 b:2"],
  [{ host: "a,b", port: 9 }, "a:9 b:9"],
  [{ host: "/run/a,/run/b" }, "/run/a:5432 /run/b:5432"],
  [{ host: "a,,c", port: ",2," }, "a:5432 localhost:2 c:5432"],
];

for (const [config, expected] of cases) {
  test(`${JSON.stringify(config)} names ${expected}`, () => {
    const { hosts, host, port } = resolveOptions(config);
    assert.equal(hosts.map(({ host, port }) => `${host}:${port}`).join(" "), expected);
    assert.deepEqual({ host, port }, { ...hosts[0] });
    assert.ok(Object.isFrozen(hosts) && hosts.every(Object.isFrozen));
  });
}

test("what a server must be may be said in a URL", () => {
  const options = resolveOptions("postgres://u@a,b/d?target_session_attrs=prefer-standby&load_balance_hosts=random");
  assert.deepEqual([options.targetSessionAttrs, options.loadBalanceHosts], ["prefer-standby", true]);
});
