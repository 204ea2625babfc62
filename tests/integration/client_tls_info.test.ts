/**
 * What a client tells of its TLS: the engine that secured the connection, and what that agreed on with the server.
 */

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { after, test } from "node:test";
import { Client, type ClientConfig } from "../../mod.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { platformEngine } from "../../src/tls/platform.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";
import { ON_DENO, transportCases } from "../fixtures/transports.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const { postgres, certificates } = await servers();
const proxy = await startProxy({ allow: [`${postgres.host}:${postgres.port}`] });
after(() => proxy.close({ drainMillis: 0 }));

async function connected(config: ClientConfig): Promise<Client> {
  return await new Client({
    connectionString: connectionUrl(postgres, "scram_user"),
    rootCerts: certificates.ca.cert,
    ...config,
  }).connect();
}

const AGREED = { protocol: "TLSv1.3", group: "X25519", cipher: "TLS_AES_256_GCM_SHA384" };

const engines: Readonly<Record<string, string>> = {
  "Deno socket": "platform",
  "Node socket": "platform",
  "WebSocket": "node",
  "WebSocket with wolfSSL": "wolfssl",
};

for (const { name, skip, config, bindable } of transportCases(proxy.url)) {
  test(`a client in TLS over a ${name} tells the engine and what was agreed`, { skip }, async () => {
    const client = new Client();
    assert.equal(client.tlsInfo, undefined);
    await using secured = await connected({ ...config, sslmode: "verify-full" });
    const { engine, protocol, cipher, peerCertificate } = secured.tlsInfo ?? assert.fail();
    assert.equal(engine, engines[name]);
    // Deno's own TLS tells neither these nor the certificate.
    assert.deepEqual([protocol, cipher], bindable ? [AGREED.protocol, AGREED.cipher] : [undefined, undefined]);
    const shown = new Uint8Array(new X509Certificate(certificates.server.cert).raw);
    assert.deepEqual(peerCertificate, bindable ? shown : undefined);
    if (engine === "wolfssl") assert.equal(secured.tlsInfo?.group, AGREED.group);
  });

  test(`a client without TLS over a ${name} has nothing to tell`, { skip }, async () => {
    await using plain = await connected({ ...config, sslmode: "disable" });
    assert.equal(plain.tlsInfo, undefined);
  });
}

test("where the platform leaves a connection to another engine, that one is told", {
  skip: withoutCore || !ON_DENO && "Node's TLS can do all that may be asked",
}, async () => {
  await using client = await connected({ sslmode: "no-verify" });
  assert.equal(client.tlsInfo?.engine, "wolfssl");
  assert.equal(client.tlsInfo?.protocol, AGREED.protocol);
});

test("an engine of one's own is told by the name that it has", async () => {
  const own = { name: "own", connect: platformEngine.connect };
  await using client = await connected({ sslmode: "verify-full", tlsEngine: own });
  assert.equal(client.tlsInfo?.engine, "own");
});
