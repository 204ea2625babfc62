/**
 * Deno: the one that runs this, from source.
 *
 * @module
 */

import { reportOf } from "../process.ts";
import type { Lacks, Runtime } from "../runtime.ts";

const PLATFORM_TLS: Lacks = {
  "SCRAM-PLUS": { code: "TLS_OPTION_UNSUPPORTED", reason: "Deno's TLS shows no certificate to bind to" },
  certificate: { code: "TLS_OPTION_UNSUPPORTED", reason: "it sends none over an open connection" },
};

/** Deno. */
export const deno: Runtime = {
  name: "deno",
  title: "Deno",
  group: "Deno",
  combinations: [
    { transport: "deno", tls: "platform", lacks: PLATFORM_TLS },
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
