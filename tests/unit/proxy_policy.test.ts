import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIp, parseTarget } from "../../src/proxy/address.ts";
import { createPolicy, type PolicyOptions, type Reach, refuseAddress } from "../../src/proxy/policy.ts";

test("rules decide what may be dialled, and how far a name may lead", () => {
  const cases: [options: PolicyOptions, address: string, expected: Reach | "refused"][] = [
    [{ allow: ["db.example.com:5432"] }, "db.example.com:5432", "any"],
    [{ allow: ["DB.example.com.:5432"] }, "db.EXAMPLE.com:5432", "any"],
    [{ allow: ["db.example.com:5432"] }, "db.example.com:5433", "refused"],
    [{ allow: ["db.example.com:5432"] }, "x.db.example.com:5432", "refused"],
    [{ allow: ["db.example.com:5432"] }, "db.example.com.evil.com:5432", "refused"],
    [{ allow: ["db.example.com:*"] }, "db.example.com:1", "any"],
    [{ allow: ["*.example.com:5432"] }, "a.b.example.com:5432", "public"],
    [{ allow: ["*.example.com:5432"] }, "example.com:5432", "refused"],
    [{ allow: ["*.example.com:5432"] }, "evilexample.com:5432", "refused"],
    [{ allow: ["*.example.com:5432", "db.example.com:5432"] }, "db.example.com:5432", "any"],
    [{ allow: ["*.example.com:5432", "db.example.com:6432"] }, "db.example.com:5432", "public"],
    [{ allow: ["*:5432"] }, "127.0.0.1:5432", "public"],
    [{ allow: ["*:5432"], allowPrivate: true }, "127.0.0.1:5432", "any"],
    [{ allow: ["127.0.0.1:5432"] }, "127.0.0.1:5432", "any"],
    [{ allow: ["127.0.0.1:5432"] }, "localhost:5432", "refused"],
    [{ allow: ["127.0.0.1:5432"] }, "[::ffff:127.0.0.1]:5432", "refused"],
    [{ allow: ["[::1]:5432"] }, "[0:0::1]:5432", "any"],
    [{ allow: ["a:1", "b:2"] }, "a:2", "refused"],
    [{ allowPattern: "db\\.internal:5432" }, "db.internal:5432", "any"],
    [{ allowPattern: "^db.internal:5432$" }, "db.internal:5432", "any"],
    [{ allowPattern: "^db.internal:5432$" }, "dbxinternal:5432", "public"],
    [{ allowPattern: "(db|pg)\\.internal:5432" }, "db.internal:5432", "public"],
    [{ allowPattern: "db" }, "db:5432", "refused"],
    [{ allowPattern: ".*:5432" }, "127.0.0.1:5432", "public"],
    [{ dev: true }, "anything:1", "loopback"],
    [{ dev: true, allow: ["db:5432"] }, "db:5432", "any"],
    [{ dev: true, allow: ["db:5432"] }, "other:5432", "loopback"],
    [{ dev: true, allow: ["*:5432"] }, "localhost:5432", "public or loopback"],
    [{ dev: true, allow: ["*:5432"] }, "localhost:5433", "loopback"],
  ];
  for (const [options, address, expected] of cases) {
    const target = parseTarget(address);
    assert.ok(target.ok, address);
    const verdict = createPolicy(options).judge(target.value);
    assert.equal(verdict.allowed ? verdict.reach : "refused", expected, `${JSON.stringify(options)} ${address}`);
  }
});

test("an address is refused unless the reach covers its network; some always are", () => {
  const cases: [Reach, address: string, refused: RegExp | undefined][] = [
    ["public", "8.8.8.8", undefined],
    ["public", "10.0.0.1", /a private address/],
    ["public", "127.0.0.1", /a loopback address/],
    ["public", "::ffff:127.0.0.1", /a loopback address/],
    ["public", "169.254.169.254", /metadata/],
    ["any", "10.0.0.1", undefined],
    ["any", "::1", undefined],
    ["any", "169.254.169.254", /metadata/],
    ["any", "::ffff:169.254.169.254", /metadata/],
    ["any", "0.0.0.0", /unspecified/],
    ["any", "224.0.0.1", /multicast/],
    ["any", "fe80::1", /link-local/],
    ["public or loopback", "127.0.0.2", undefined],
    ["public or loopback", "8.8.8.8", undefined],
    ["public or loopback", "10.0.0.1", /a private address/],
    ["public or loopback", "169.254.169.254", /metadata/],
    ["loopback", "127.0.0.2", undefined],
    ["loopback", "::1", undefined],
    ["loopback", "10.0.0.1", /--dev/],
    ["loopback", "8.8.8.8", /--dev/],
    ["loopback", "0.0.0.0", /unspecified/],
    ["loopback", "2002:7f00:1::", /reserved/],
    ["loopback", "64:ff9b::127.0.0.1", /reserved/],
  ];
  for (const [reach, address, refused] of cases) {
    const ip = parseIp(address);
    assert.ok(ip, address);
    const reason = refuseAddress(reach, ip);
    if (refused === undefined) assert.equal(reason, undefined, `${reach} ${address}`);
    else assert.match(reason ?? "allowed", refused, `${reach} ${address}`);
  }
});

test("without a rule there is no policy", () => {
  for (const options of [{}, { allow: [] }, { allowPrivate: true }]) {
    assert.throws(() => createPolicy(options), {
      name: "ConfigError",
      code: "PROXY_NOT_RESTRICTED",
      message: /--allow/,
    });
  }
});

test("a rule that means nothing is refused", () => {
  const rules = [
    "",
    "db",
    "db:",
    "db:x",
    "db:0",
    "db:70000",
    ":5432",
    "*db:1",
    "d*b:1",
    "*.*.com:1",
    "*.:1",
    "::1:5432",
  ];
  for (const rule of [...rules, "a@b:1", "2130706433:1", "10.0.0.0/8:1", "https://db:1"]) {
    assert.throws(() => createPolicy({ allow: [rule] }), { code: "PROXY_RULE_INVALID" }, rule);
  }
});

test("rules that let in every public host are recognised", () => {
  const cases: [PolicyOptions, boolean][] = [
    [{ allow: ["*:*"] }, true],
    [{ allow: ["*:5432"] }, true],
    [{ allowPattern: ".*" }, true],
    [{ allowPattern: ".*:5432" }, true],
    [{ allow: ["*.example.com:*"] }, false],
    [{ allowPattern: ".*\\.example\\.com:5432" }, false],
    [{ dev: true }, false],
  ];
  for (const [options, wideOpen] of cases) {
    assert.equal(createPolicy(options).wideOpen, wideOpen, JSON.stringify(options));
  }
});
