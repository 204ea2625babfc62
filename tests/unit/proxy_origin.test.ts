import assert from "node:assert/strict";
import { test } from "node:test";
import { createOriginPolicy } from "../../src/proxy/origin.ts";

const LOOPBACK = [
  "http://localhost",
  "http://localhost:5173",
  "https://LOCALHOST:8443",
  "http://app.localhost",
  "http://127.0.0.1:3000",
  "http://127.8.9.10",
  "http://[::1]:3000",
];
const ELSEWHERE = [
  "https://evil.com",
  "http://localhost.evil.com",
  "http://evil-localhost",
  "http://127.0.0.1.evil.com",
  "http://192.168.0.7",
  "http://[::2]",
  "http://2130706433",
  "http://0.0.0.0",
  "chrome-extension://abcdef",
  "null",
  "",
  "localhost",
];

test("with --dev, the pages of this machine's loopback may connect, and no others", () => {
  const policy = createOriginPolicy({ dev: true });
  for (const origin of LOOPBACK) assert.equal(policy.refuse(origin), undefined, origin);
  for (const origin of ELSEWHERE) assert.match(policy.refuse(origin) ?? "", /may not connect.*--allow-origin/, origin);
});

test("what is no browser sends no origin, and may connect whatever the rules", () => {
  for (const options of [{}, { dev: true }, { allowOrigins: ["https://app.example.com"] }]) {
    assert.equal(createOriginPolicy(options).refuse(undefined), undefined);
  }
});

test("without a rule and without --dev, every page may connect", () => {
  for (const origin of [...LOOPBACK, ...ELSEWHERE]) {
    assert.equal(createOriginPolicy({}).refuse(origin), undefined, origin);
  }
});

test("a rule allows the origins that it covers", () => {
  const cases: [rule: string, origin: string, allowed: boolean][] = [
    ["https://app.example.com", "https://app.example.com", true],
    ["https://App.Example.com", "https://app.example.COM", true],
    ["https://app.example.com", "http://app.example.com", false],
    ["https://app.example.com", "https://app.example.com:8443", false],
    ["https://app.example.com", "https://app.example.com.evil.com", false],
    ["https://app.example.com:8443", "https://app.example.com:8443", true],
    ["https://*.example.com", "https://a.example.com", true],
    ["https://*.example.com", "https://a.b.example.com", true],
    ["https://*.example.com", "https://example.com", false],
    ["https://*.example.com", "https://evilexample.com", false],
    ["https://*.example.com", "https://evil.com/.example.com", false],
    ["https://*.example.com", "http://a.example.com", false],
    ["http://[::1]:3000", "http://[::1]:3000", true],
    ["null", "null", true],
    ["https://app.example.com", "null", false],
    ["*", "https://evil.com", true],
    ["*", "null", true],
  ];
  for (const [rule, origin, allowed] of cases) {
    const refusal = createOriginPolicy({ allowOrigins: [rule] }).refuse(origin);
    assert.equal(refusal === undefined, allowed, `${rule} and ${origin}`);
  }
});

test("a rule adds to what --dev allows", () => {
  const policy = createOriginPolicy({ dev: true, allowOrigins: ["https://app.example.com"] });
  assert.equal(policy.refuse("https://app.example.com"), undefined);
  assert.equal(policy.refuse("http://localhost:5173"), undefined);
  assert.match(policy.refuse("https://evil.com") ?? "", /pages of https:\/\/evil\.com may not/);
});

test("a refusal shows nothing that is no origin, and not too much of one", () => {
  const policy = createOriginPolicy({ dev: true });
  assert.match(policy.refuse("<script>\u001b[31m") ?? "", /^pages of that origin may not/);
  assert.ok((policy.refuse(`https://${"a".repeat(5000)}`) ?? "").length < 300);
});

test("a rule that can match nothing is refused", () => {
  for (const rule of ["", "app.example.com", "https://", "https://app.example.com/", "https://a.*.com", "https://*"]) {
    assert.throws(() => createOriginPolicy({ allowOrigins: [rule] }), { code: "PROXY_ORIGIN_INVALID" }, rule);
  }
});
