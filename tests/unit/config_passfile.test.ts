import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { findPassword, passwordFile } from "../../src/config/passfile.ts";

const key = { hosts: ["db.example.com"], port: 5432, database: "shop", user: "app" };

test("a line of a password file", () => {
  const cases: readonly (readonly [line: string, password: string | undefined])[] = [
    ["db.example.com:5432:shop:app:secret", "secret"],
    ["*:*:*:*:secret", "secret"],
    ["db.example.com:*:*:app:secret", "secret"],
    ["db.example.com:5432:shop:app:secret\r", "secret"],
    ["other.example.com:5432:shop:app:secret", undefined],
    ["db.example.com:5433:shop:app:secret", undefined],
    ["db.example.com:5432:Shop:app:secret", undefined],
    ["db.example.com:5432:shop:app2:secret", undefined],
    ["db.example*:5432:shop:app:secret", undefined], // a wildcard stands alone
    ["db.example.com:05432:shop:app:secret", undefined],
    ["#db.example.com:5432:shop:app:secret", undefined],
    ["  # db.example.com:5432:shop:app:secret", undefined],
    ["db.example.com:5432:shop:app:#secret", "#secret"],
    ["db.example.com:5432:shop:app:", undefined],
    ["db.example.com:5432:shop:app", undefined],
    ["db.example.com 5432 shop app secret", undefined],
    ["", undefined],
    [":::::", undefined],
    ["db.example.com:5432:shop:app:a\\:b\\\\c", "a:b\\c"],
    ["db.example.com:5432:shop:app:a\\\\\\:b", "a\\:b"],
    ["db.example.com:5432:shop:app:pä\u{1F511} word ", "pä\u{1F511} word "],
    // As npm pgpass, whose users have such files: libpq would end the first at the colon, and drop the backslash.
    ["db.example.com:5432:shop:app:a:b", "a:b"],
    ["db.example.com:5432:shop:app:a\\b", "a\\b"],
  ];
  for (const [line, password] of cases) assert.equal(findPassword(line, key), password, line);
});

test("escapes in the other fields, and which line counts", () => {
  const odd = { hosts: ["2001:db8::1"], port: 5432, database: "a\\b:c", user: "*" };
  assert.equal(findPassword("2001\\:db8\\:\\:1:5432:a\\\\b\\:c:*:secret", odd), "secret");
  assert.equal(findPassword("2001:db8::1:5432:a:*:secret", odd), undefined);
  const file = "\uFEFF# ours\n\nother:*:*:*:no\ndb.example.com:*:*:app:first\n*:*:*:*:second\n";
  assert.equal(findPassword(file, key), "first");
  assert.equal(findPassword(file.replaceAll("\n", "\r\n"), key), "first");
  assert.equal(findPassword(file, { ...key, user: "somebody" }), "second");
});

test("a host has several names: its address, and localhost for the default folder of sockets", () => {
  const named = { ...key, hosts: ["db.example.com", "192.0.2.1"] };
  for (const host of ["db.example.com", "192.0.2.1"]) assert.equal(findPassword(`${host}:*:*:*:x`, named), "x");
  for (const folder of ["/tmp", "/var/run/postgresql"]) {
    const local = { ...key, hosts: [folder] };
    for (const host of ["localhost", folder]) assert.equal(findPassword(`${host}:*:*:*:x`, local), "x");
  }
  assert.equal(findPassword("localhost:*:*:*:x", { ...key, hosts: ["/srv/sockets"] }), undefined);
  assert.equal(findPassword("/srv/sockets:*:*:*:x", { ...key, hosts: ["/srv/sockets"] }), "x");
});

test("a file that others may read is ignored, and so is what is no file; each is said once", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "pgduplex-passfile-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const warnings: string[] = [];
  t.mock.method(console, "warn", (warning: string) => void warnings.push(warning));
  const path = join(folder, "pgpass");
  assert.equal(passwordFile(path), undefined, "none is no error");
  writeFileSync(path, "*:*:*:*:secret\n", { mode: 0o600 });
  assert.equal(passwordFile(path), "*:*:*:*:secret\n");
  assert.deepEqual(warnings, []);
  if (process.platform !== "win32") {
    for (const mode of [0o640, 0o604, 0o610, 0o602, 0o644]) {
      chmodSync(path, mode);
      assert.equal(passwordFile(path), undefined, mode.toString(8));
    }
    assert.match(
      warnings.join("\n"),
      /^pgduplex: the password file ".*pgpass" is ignored: it has group or world [^\n]*$/,
    );
    chmodSync(path, 0o400);
    assert.ok(passwordFile(path));
  }
  mkdirSync(join(folder, "folder"), { mode: 0o700 });
  assert.equal(passwordFile(join(folder, "folder")), undefined);
  assert.match(warnings.at(-1) ?? "", /is not a plain file/);
});
