import assert from "node:assert/strict";
import { test } from "node:test";
import {
  assertCleartextAllowed,
  assertMethodAllowed,
  assertPasswordGiven,
  isMethodAllowed,
} from "../../src/auth/policy.ts";
import { resolveRequireAuth } from "../../src/config/authentication.ts";
import type { AuthMethod, RequireAuth } from "../../src/config/options.ts";
import { objectSource, Settings } from "../../src/config/settings.ts";

const parseRequireAuth = (text: string) =>
  resolveRequireAuth(new Settings([objectSource("options", { require_auth: text })]));

const parsed: [text: string, meaning: RequireAuth | undefined][] = [
  ["", undefined],
  ["none", { negated: false, methods: ["none"] }],
  ["password", { negated: false, methods: ["password"] }],
  ["scram-sha-256,md5", { negated: false, methods: ["scram-sha-256", "md5"] }],
  ["scram-sha-256-plus", { negated: false, methods: ["scram-sha-256-plus"] }],
  ["!password", { negated: true, methods: ["password"] }],
  ["!password,!none,!md5", { negated: true, methods: ["password", "none", "md5"] }],
  ["gss,sspi,scram-sha-256", { negated: false, methods: ["scram-sha-256"] }],
  ["!gss,!sspi", { negated: true, methods: [] }],
  ["oauth", { negated: false, methods: ["oauth"] }],
];

test("require_auth is read as libpq reads it", () => {
  for (const [text, meaning] of parsed) assert.deepEqual(parseRequireAuth(text), meaning, text);
});

const unreadable: [text: string, message: RegExp][] = [
  ["!password,md5", /mixes negated and plain methods/],
  ["md5,!password", /mixes negated and plain methods/],
  ["md5,md5", /names "md5" more than once/],
  ["!md5,!md5", /names "md5" more than once/],
  ["gss,gss,md5", /names "gss" more than once/],
  ["kerberos", /must be a list of none, password, md5, scram/],
  ["MD5", /must be a list of none, password, md5, scram/],
  ["md5,", /must be a list of none, password, md5, scram/],
  ["!", /must be a list of none, password, md5, scram/],
  ["!!md5", /must be a list of none, password, md5, scram/],
  ["gss", /must be a list of none, password, md5, scram/],
];

test("a require_auth that libpq would refuse, or that nothing can satisfy, is refused", () => {
  for (const [text, message] of unreadable) {
    assert.throws(() => parseRequireAuth(text), { code: "CONFIG_REQUIRE_AUTH", message }, text);
  }
});

const everyMethod: AuthMethod[] = ["none", "password", "md5", "scram-sha-256", "scram-sha-256-plus", "oauth"];

const allowed: [requirement: string, methods: AuthMethod[]][] = [
  ["", everyMethod],
  ["none", ["none"]],
  ["password,none", ["none", "password"]],
  ["scram-sha-256", ["scram-sha-256", "scram-sha-256-plus"]],
  ["scram-sha-256-plus", ["scram-sha-256-plus"]],
  ["!none", ["password", "md5", "scram-sha-256", "scram-sha-256-plus", "oauth"]],
  ["!scram-sha-256", ["none", "password", "md5", "oauth"]],
  ["!scram-sha-256-plus", ["none", "password", "md5", "scram-sha-256", "oauth"]],
  ["!password,!md5", ["none", "scram-sha-256", "scram-sha-256-plus", "oauth"]],
  ["!gss", everyMethod],
];

test("require_auth lets through the methods it names, or the others", () => {
  for (const [requirement, methods] of allowed) {
    const requireAuth = parseRequireAuth(requirement);
    for (const method of everyMethod) {
      const name = `${method} under require_auth=${requirement}`;
      assert.equal(isMethodAllowed(method, requireAuth), methods.includes(method), name);
      if (methods.includes(method)) assertMethodAllowed(method, requireAuth);
      else assert.throws(() => assertMethodAllowed(method, requireAuth), { code: "AUTH_METHOD_REFUSED" }, name);
    }
  }
});

test("the refusal of a method says what the server asked for and what forbids it", () => {
  assert.throws(() => assertMethodAllowed("md5", parseRequireAuth("!password,!md5")), {
    name: "AuthenticationError",
    message: /asked for md5 authentication, which require_auth=!password,!md5 forbids/,
  });
  assert.throws(() => assertMethodAllowed("none", parseRequireAuth("scram-sha-256")), {
    message: /asked for no authentication, which require_auth=scram-sha-256 forbids/,
  });
});

const cleartext: [info: { secure?: boolean; local?: boolean }, allow: boolean, passes: boolean][] = [
  [{}, false, false],
  [{ secure: false, local: false }, false, false],
  [{ secure: true }, false, true],
  [{ local: true }, false, true],
  [{ secure: true, local: true }, false, true],
  [{}, true, true],
  [{ secure: false }, true, true],
];

test("a cleartext password needs verified TLS, a Unix-domain socket or permission", () => {
  for (const [info, allow, passes] of cleartext) {
    if (passes) assertCleartextAllowed(info, allow);
    else {
      assert.throws(() => assertCleartextAllowed(info, allow), {
        code: "AUTH_CLEARTEXT_REFUSED",
        message: /allowCleartextPassword: true/,
      });
    }
  }
});

test("a password that is missing or empty is none", () => {
  assertPasswordGiven("secret");
  assert.throws(() => assertPasswordGiven(undefined), { code: "AUTH_PASSWORD_MISSING", message: /none was given/ });
  assert.throws(() => assertPasswordGiven(""), { code: "AUTH_PASSWORD_MISSING", message: /is empty/ });
});
