import assert from "node:assert/strict";
import { test } from "node:test";
import { isIpAddress, remoteName, unixSocketPath } from "../../src/duplex/target.ts";

test("a target is written as a person would, and a host with a slash or an @ means a Unix-domain socket", () => {
  const cases: [host: string, remote: string, path: string | undefined][] = [
    ["db.example.com", "db.example.com:5432", undefined],
    ["127.0.0.1", "127.0.0.1:5432", undefined],
    ["::1", "[::1]:5432", undefined],
    ["[::1]", "[::1]:5432", undefined],
    ["/run/postgresql", "/run/postgresql/.s.PGSQL.5432", "/run/postgresql/.s.PGSQL.5432"],
    ["/run/postgresql/", "/run/postgresql/.s.PGSQL.5432", "/run/postgresql/.s.PGSQL.5432"],
    ["/", "/.s.PGSQL.5432", "/.s.PGSQL.5432"],
    ["@hidden", "@hidden/.s.PGSQL.5432", "@hidden/.s.PGSQL.5432"],
  ];
  for (const [host, remote, path] of cases) {
    assert.equal(remoteName({ host, port: 5432 }), remote);
    assert.equal(unixSocketPath({ host, port: 5432 }), path);
  }
});

test("IP addresses are told from names", () => {
  for (const host of ["127.0.0.1", "::1", "fe80::1%eth0", "::ffff:10.0.0.1"]) assert.ok(isIpAddress(host), host);
  for (const host of ["localhost", "1.2.3", "db-1.2.3.4.example.com", "1.2.3.4.5"]) assert.ok(!isIpAddress(host), host);
});
