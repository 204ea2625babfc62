import assert from "node:assert/strict";
import { test } from "node:test";
import type { Certificate } from "../../wolfssl/x509/certificate.ts";
import type { GeneralName } from "../../wolfssl/x509/general_name.ts";
import { matchesServerName, parseIpAddress } from "../../wolfssl/x509/host_name.ts";
import { readName } from "../../wolfssl/x509/name.ts";
import { ComparisonBudget, violation } from "../../wolfssl/x509/name_constraints.ts";

const dns = (value: string): GeneralName => ({ kind: "dns", value });
const ip = (text: string): GeneralName => ({ kind: "ip", value: parseIpAddress(text) ?? assert.fail(text) });

test("a host name matches by RFC 9525: whole, in any case, or by a wildcard for its first label", () => {
  const cases: [presented: string, asked: string, matches: boolean][] = [
    ["db.example.com", "db.example.com", true],
    ["DB.Example.com", "db.EXAMPLE.com", true],
    ["db.example.com", "db.example.com.", true],
    ["db.example.com", "xdb.example.com", false],
    ["db.example.com", "example.com", false],
    ["localhost", "localhost", true],
    ["*.example.com", "db.example.com", true],
    ["*.example.com", "example.com", false],
    ["*.example.com", "a.db.example.com", false],
    ["*.example.com", ".example.com", false],
    ["*.com", "example.com", false],
    ["*", "localhost", false],
    ["d*.example.com", "db.example.com", false],
    ["db.*.com", "db.example.com", false],
    ["*.*.com", "db.example.com", false],
    ["xn--bcher-kva.example", "bücher.example", true],
    ["*.xn--bcher-kva.example", "db.bücher.example", true],
    ["bücher.example", "bücher.example", false],
    ["db_1.example.com", "db_1.example.com", false],
    ["db.example.com\u0000.evil.com", "db.example.com", false],
    ["127.0.0.1", "127.0.0.1", false],
    ["", "", false],
  ];
  for (const [presented, asked, matches] of cases) {
    assert.equal(matchesServerName([dns(presented)], asked), matches, `${presented} for ${asked}`);
  }
});

test("an address matches an address alone, however it is written", () => {
  const cases: [presented: string, asked: string, matches: boolean][] = [
    ["127.0.0.1", "127.0.0.1", true],
    ["127.0.0.1", "127.0.0.2", false],
    ["::1", "::1", true],
    ["::1", "[::1]", true],
    ["::1", "0:0:0:0:0:0:0:1", true],
    ["2001:db8::1", "2001:DB8:0::0:1", true],
    ["fe80::1", "fe80::1%eth0", true],
    ["::ffff:127.0.0.1", "::ffff:7f00:1", true],
    ["::ffff:127.0.0.1", "127.0.0.1", false],
  ];
  for (const [presented, asked, matches] of cases) {
    assert.equal(matchesServerName([ip(presented)], asked), matches, `${presented} for ${asked}`);
  }
});

test("what is no address is none", () => {
  const none = ["", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "0x7f.0.0.1", ":", ":::", "1::2::3"];
  none.push("1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::", "g::", "1.2.3.4::", "::1.2.3");
  for (const text of none) assert.equal(parseIpAddress(text), undefined, text);
});

const EMPTY_NAME = readName(Uint8Array.of(0x30, 0));
const certificateOf = (...subjectAltName: GeneralName[]) =>
  ({ subject: EMPTY_NAME, extensions: { subjectAltName, critical: new Set() } }) as unknown as Certificate;
const mask = (address: string, bits: string): GeneralName => {
  const [a, b] = [parseIpAddress(address) ?? assert.fail(), parseIpAddress(bits) ?? assert.fail()];
  return { kind: "ip", value: Uint8Array.of(...a, ...b) };
};

test("name constraints permit and exclude", () => {
  const cases: [permitted: GeneralName[], excluded: GeneralName[], name: GeneralName, words: RegExp | undefined][] = [
    [[dns("example.com")], [], dns("db.example.com"), undefined],
    [[dns("example.com")], [], dns("example.com"), undefined],
    [[dns("example.com")], [], dns("badexample.com"), /not permitted/],
    [[dns("example.com")], [], ip("127.0.0.1"), undefined],
    [[dns("a.example.com")], [], dns("*.example.com"), /not permitted/],
    [[], [dns("a.example.com")], dns("*.example.com"), /excluded/],
    [[], [dns("a.b.example.com")], dns("*.example.com"), undefined],
    [[dns("")], [dns("example.com")], dns("db.example.com"), /excluded/],
    [[mask("10.0.0.0", "255.0.0.0")], [], ip("10.1.2.3"), undefined],
    [[mask("10.0.0.0", "255.0.0.0")], [], ip("11.1.2.3"), /not permitted/],
    [[mask("10.0.0.0", "255.0.0.0")], [], ip("::1"), /not permitted/],
    [[{ kind: "email", value: "example.com" }], [], { kind: "email", value: "a@example.com" }, undefined],
    [[{ kind: "email", value: ".example.com" }], [], { kind: "email", value: "a@example.com" }, /not permitted/],
    [[{ kind: "uri", value: ".example.com" }], [], { kind: "uri", value: "https://u@db.example.com:1/x" }, undefined],
  ];
  for (const [permitted, excluded, name, words] of cases) {
    const found = violation({ permitted, excluded }, certificateOf(name), new ComparisonBudget());
    if (words === undefined) assert.equal(found, undefined);
    else assert.match(found ?? "nothing", words);
  }
});

test("constraints that cannot be applied let nothing pass", () => {
  const constraints: [GeneralName, GeneralName][] = [
    [dns("*.example.com"), dns("db.example.com")],
    [dns(".example.com"), dns("db.example.com")],
    [mask("10.0.0.0", "255.0.255.0"), ip("10.1.2.3")],
    [{ kind: "ip", value: Uint8Array.of(10, 0, 0, 0) }, ip("10.1.2.3")],
    [{ kind: "other", value: "1.2.3" }, { kind: "other", value: "1.2.3" }],
    [dns("example.com"), dns("example..com")],
  ];
  for (const [tree, name] of constraints) {
    const check = () => violation({ permitted: [tree], excluded: [] }, certificateOf(name), new ComparisonBudget());
    assert.throws(check, { name: "DerError" });
  }
});

test("constraints times names are bounded", () => {
  const many = Array.from({ length: 1000 }, (_, index) => dns(`${index}.example.com`));
  const check = () =>
    violation(
      { permitted: [], excluded: many },
      certificateOf(...many.map((_, i) => dns(`${i}.test`))),
      new ComparisonBudget(),
    );
  assert.throws(check, /too many/);
});
