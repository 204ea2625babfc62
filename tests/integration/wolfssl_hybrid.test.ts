/**
 * The hybrid key agreement of X25519 and ML-KEM-768, against OpenSSL 3.5, as newer versions of Node have it.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { openNode } from "../../src/duplex/node.ts";
import { type Group, wolfssl } from "../../wolfssl/mod.ts";
import { certificates } from "../fixtures/certificates.ts";
import { newerNode, NO_NEWER_NODE, startNewerNode } from "../fixtures/newer_node.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const node = newerNode();
const skip = withoutCore || (node === undefined && NO_NEWER_NODE);
const pki = await certificates();

const cases: [offered: readonly Group[], server: string, agreed: Group][] = [
  [["X25519MLKEM768", "X25519"], "X25519MLKEM768:X25519", "X25519MLKEM768"],
  [["X25519MLKEM768"], "X25519MLKEM768", "X25519MLKEM768"],
  // A key of another group comes first: a HelloRetryRequest.
  [["X25519", "X25519MLKEM768"], "X25519MLKEM768", "X25519MLKEM768"],
  [["X25519MLKEM768", "P-256"], "P-256", "P-256"],
];

for (const [offered, groups, agreed] of cases) {
  test(`${offered} and OpenSSL's ${groups} agree on ${agreed}, whoever computes`, { skip }, async () => {
    await using server = await startNewerNode(node ?? assert.fail(), pki.server, groups);
    for (const crypto of ["wasm", "subtle", "auto"] as const) {
      const duplex = await wolfssl({ crypto, groups: offered }).connect(await openNode(server), {
        serverName: "localhost",
        verify: { chain: true, name: true },
        roots: [pki.ca.cert],
      });
      assert.deepEqual([duplex.tls.protocol, duplex.tls.group], ["TLSv1.3", agreed], crypto);
      await duplex.write(new TextEncoder().encode("there"));
      assert.equal(new TextDecoder().decode(await duplex.read() ?? undefined), "there");
      duplex.close();
    }
  });
}
