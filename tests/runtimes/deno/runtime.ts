/**
 * Deno: the one that runs this, from source.
 *
 * @module
 */

import { reportOf } from "../process.ts";
import type { Lacks, Runtime } from "../runtime.ts";

const NO_BINDING: Lacks = {
  "SCRAM-PLUS": {
    code: "AUTH_CHANNEL_BINDING_REQUIRED",
    reason: "Deno's TLS does not show the server's certificate",
  },
};

/** Deno. */
export const deno: Runtime = {
  name: "deno",
  title: "Deno",
  group: "Deno",
  combinations: [
    { transport: "deno", tls: "platform", lacks: NO_BINDING },
    { transport: "deno", tls: "wolfssl" },
    { transport: "websocket", tls: "platform" },
    { transport: "websocket", tls: "wolfssl" },
  ],
  // deno-lint-ignore require-await
  async prepare({ postgres, untrusted, proxyUrl, deadPort }) {
    const ports = [postgres.port, untrusted.port, new URL(proxyUrl).port, deadPort];
    const reachable = ports.map((port) => `127.0.0.1:${port}`).join(",");
    return {
      version: Deno.version.deno,
      run: (_combination, task, signal) => {
        const permissions = [`--allow-net=${reachable}`, "--no-prompt"];
        const args = ["run", "--no-check", ...permissions, "tests/runtimes/deno/main.ts", JSON.stringify(task)];
        return reportOf(Deno.execPath(), args, { signal });
      },
    };
  },
};
