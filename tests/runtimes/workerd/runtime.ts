/**
 * Cloudflare's workerd, as Miniflare starts it, without compatibility flags.
 *
 * @module
 */

import { bundle, bundleHost } from "../bundle.ts";
import { reportOf } from "../process.ts";
import type { Lacks, Runtime } from "../runtime.ts";
import { versionOf } from "../../../scripts/npm/versions.ts";

const PLATFORM_TLS: Lacks = {
  "SCRAM-PLUS": { code: "TLS_OPTION_UNSUPPORTED", reason: "the sockets' TLS shows no certificate to bind to" },
  certificate: { code: "TLS_OPTION_UNSUPPORTED", reason: "it sends none" },
  "wrong CA": { code: "TLS_HANDSHAKE", reason: "it refuses without saying why" },
};

/** Cloudflare Workers. */
export const workerd: Runtime = {
  name: "workerd",
  title: "workerd",
  group: "Cloudflare Workers (workerd)",
  combinations: [
    { transport: "cloudflare", tls: "platform", lacks: PLATFORM_TLS },
    { transport: "cloudflare", tls: "wolfssl" },
    { transport: "websocket", tls: "wolfssl" },
  ],
  async prepare(stage) {
    const folder = await bundle(await stage.consumer(), {
      entryPoints: ["workerd/program_worker.ts"],
      folder: "workerd",
      format: "esm",
      conditions: ["workerd"],
    });
    const host = await bundleHost("workerd/host.ts", ".build/runtimes/workerd");
    return {
      version: `Miniflare ${versionOf("miniflare")}`,
      run: ({ tls }, task, signal) => {
        // workerd takes a private authority from nowhere else, and needs none for our own TLS.
        const trust = tls === "platform" ? stage.certificates.ca.certPath : "";
        const env = { NODE_EXTRA_CA_CERTS: trust };
        return reportOf("node", [host, folder, JSON.stringify(task)], { env, signal });
      },
    };
  },
};
