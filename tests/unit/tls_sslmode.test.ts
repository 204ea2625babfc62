import assert from "node:assert/strict";
import { test } from "node:test";
import type { SslMode, TlsRequest } from "../../src/config/options.ts";
import { type TlsPath, type TlsPolicy, tlsPolicy } from "../../src/tls/sslmode.ts";

const full = { chain: true, name: true };
const chain = { chain: true, name: false };
const none = { chain: false, name: false };

/** What a cell may hold; an error otherwise. */
const meanings: Readonly<Record<string, TlsPolicy>> = {
  "plain": { attempts: ["plain"], verify: full, refusedByServer: "fail" },
  "tls full": { attempts: ["tls"], verify: full, refusedByServer: "fail" },
  "tls chain": { attempts: ["tls"], verify: chain, refusedByServer: "fail" },
  "tls any": { attempts: ["tls"], verify: none, refusedByServer: "fail" },
  "plain, tls chain": { attempts: ["plain", "tls"], verify: chain, refusedByServer: "fail" },
  "plain, tls any": { attempts: ["plain", "tls"], verify: none, refusedByServer: "fail" },
  "tls chain, plain": { attempts: ["tls", "plain"], verify: chain, refusedByServer: "plain" },
  "tls any, plain": { attempts: ["tls", "plain"], verify: none, refusedByServer: "plain" },
};

type Row = readonly [mode: SslMode | undefined, roots: boolean, socket: string, websocket: string, local: string];

const nodePostgres: readonly Row[] = [
  [undefined, false, "plain", "tls full", "plain"],
  [undefined, true, "plain", "tls full", "plain"],
  ["disable", false, "plain", "plain", "plain"],
  ["disable", true, "plain", "plain", "plain"],
  ["allow", false, "tls full", "tls full", "plain"],
  ["allow", true, "tls full", "tls full", "plain"],
  ["prefer", false, "tls full", "tls full", "plain"],
  ["prefer", true, "tls full", "tls full", "plain"],
  ["require", false, "tls full", "tls full", "plain"],
  ["require", true, "tls full", "tls full", "plain"],
  ["verify-ca", false, "tls full", "tls full", "plain"],
  ["verify-ca", true, "tls full", "tls full", "plain"],
  ["verify-full", false, "tls full", "tls full", "plain"],
  ["verify-full", true, "tls full", "tls full", "plain"],
  ["no-verify", false, "tls any", "tls any", "plain"],
  ["no-verify", true, "tls any", "tls any", "plain"],
];

const libpq: readonly Row[] = [
  [undefined, false, "plain", "tls full", "plain"],
  [undefined, true, "plain", "tls full", "plain"],
  ["disable", false, "plain", "plain", "plain"],
  ["disable", true, "plain", "plain", "plain"],
  ["allow", false, "plain, tls any", "plain, tls any", "plain"],
  ["allow", true, "plain, tls chain", "plain, tls chain", "plain"],
  ["prefer", false, "tls any, plain", "tls any, plain", "plain"],
  ["prefer", true, "tls chain, plain", "tls chain, plain", "plain"],
  ["require", false, "tls any", "tls any", "plain"],
  ["require", true, "tls chain", "tls chain", "plain"],
  ["verify-ca", false, "needs roots", "needs roots", "plain"],
  ["verify-ca", true, "tls chain", "tls chain", "plain"],
  ["verify-full", false, "tls full", "tls full", "plain"],
  ["verify-full", true, "tls full", "tls full", "plain"],
  ["no-verify", false, "tls any", "tls any", "plain"],
  ["no-verify", true, "tls any", "tls any", "plain"],
];

function request(fields: Partial<TlsRequest>): TlsRequest {
  return {
    mode: undefined,
    libpqCompat: false,
    rootCerts: undefined,
    systemRoots: false,
    serverName: undefined,
    minVersion: undefined,
    maxVersion: undefined,
    clientCertificate: undefined,
    negotiation: "postgres",
    nodeOptions: undefined,
    ...fields,
  };
}

for (const [name, libpqCompat, table] of [["node-postgres", false, nodePostgres], ["libpq", true, libpq]] as const) {
  test(`every mode means what ${name} means by it, on every path, with and without roots`, () => {
    assert.equal(table.length, 16);
    for (const [mode, roots, ...cells] of table) {
      for (const [index, path] of (["socket", "websocket", "local"] as const).entries()) {
        const cell = `${mode}, ${roots ? "roots" : "no roots"}, ${path}`;
        const said = request({ mode, libpqCompat, rootCerts: roots ? ["PEM"] : undefined });
        const expected = meanings[cells[index]];
        if (expected === undefined) {
          assert.throws(() => tlsPolicy(said, path), { code: "CONFIG_SSLMODE", message: /sslrootcert/ }, cell);
        } else {
          assert.deepEqual(tlsPolicy(said, path), expected, cell);
        }
      }
    }
  });
}

const direct: readonly [mode: SslMode | undefined, libpqCompat: boolean, path: TlsPath, allowed: boolean][] = [
  [undefined, false, "socket", false],
  [undefined, false, "websocket", true],
  [undefined, false, "local", false],
  ["disable", false, "socket", false],
  ["disable", true, "websocket", false],
  ["allow", false, "socket", true],
  ["allow", true, "socket", false],
  ["prefer", false, "socket", true],
  ["prefer", true, "socket", false],
  ["prefer", true, "websocket", false],
  ["require", true, "socket", true],
  ["require", true, "local", true],
  ["verify-ca", false, "socket", true],
  ["verify-full", true, "socket", true],
  ["no-verify", false, "socket", true],
];

test("direct negotiation needs a mode that insists on TLS", () => {
  for (const [mode, libpqCompat, path, allowed] of direct) {
    const said = request({ mode, libpqCompat, negotiation: "direct" });
    const cell = `${mode} ${libpqCompat} ${path}`;
    if (allowed) {
      assert.deepEqual(tlsPolicy(said, path).attempts, [path === "local" ? "plain" : "tls"], cell);
    } else {
      assert.throws(() => tlsPolicy(said, path), { code: "CONFIG_SSLMODE", message: /sslnegotiation=direct/ }, cell);
    }
  }
});
