import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientCounts } from "../../src/proxy/client_counts.ts";

test("connections are counted by IPv4 address, and by network where addresses are for the taking", () => {
  const cases: [address: string, other: string, same: boolean][] = [
    ["192.0.2.1", "192.0.2.1", true],
    ["192.0.2.1", "192.0.2.2", false],
    ["192.0.2.1", "::ffff:192.0.2.1", true],
    ["::ffff:192.0.2.2", "::ffff:192.0.2.1", false],
    ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true],
    ["2001:db8:1:2::1", "2001:db8:1:3::1", false],
    ["fe80::1%eth0", "fe80::2%eth0", true],
    ["unknown", "unknown", true],
    ["unknown", "192.0.2.1", false],
  ];
  for (const [address, other, same] of cases) {
    const counts = new ClientCounts();
    counts.add(address, 1);
    assert.equal(counts.of(other), same ? 1 : 0, `${address} ${other}`);
    counts.add(other, 1);
    counts.add(address, -1);
    assert.equal(counts.of(other), 1);
    counts.add(other, -1);
    assert.equal(counts.of(other), 0);
  }
});
