import { TlsError } from "../errors.ts";
import type { TlsEngine, TlsOptions } from "./engine.ts";
import { nodeTls } from "./node_engine.ts";

/**
 * The TLS that the platform has over its own sockets (`Duplex.startTls`): Node's, Deno's, Workers'.
 *
 * @throws {TlsError} `TLS_UNAVAILABLE` where the connection is none of the platform's sockets, and whatever the
 * platform's own `startTls` throws
 */
export const platformEngine: TlsEngine = {
  name: "platform",
  async connect(duplex, options) {
    try {
      if (duplex.startTls === undefined) {
        const { transport, remote } = duplex.info;
        throw new TlsError(
          "TLS_UNAVAILABLE",
          `over ${transport} to ${remote} the platform has no TLS: npm install @pgduplex/wolfssl, ` +
            "or set sslmode=disable if whatever the bytes cross (a proxy, say) is yours",
          { transport, phase: "tls" },
        );
      }
      return await duplex.startTls(options);
    } catch (error) {
      duplex.close(error);
      throw error;
    }
  },
};

/**
 * The platform's TLS, and for what it cannot honour the wolfSSL engine, or for Node's own options Node's TLS, over the same
 * connection: the platform's own sockets refuse before they do anything.
 */
export function platformOr(wolfssl: () => Promise<TlsEngine>): TlsEngine {
  return {
    name: platformEngine.name,
    async connect(duplex, options) {
      if (duplex.startTls === undefined) return await platformEngine.connect(duplex, options);
      let refusal: unknown;
      try {
        return await duplex.startTls(options);
      } catch (error) {
        refusal = error;
      }
      const unsupported = refusal instanceof TlsError && refusal.driverCode === "TLS_OPTION_UNSUPPORTED";
      const engine = unsupported ? await instead(options, wolfssl) : undefined;
      if (engine !== undefined) return await engine.connect(duplex, options);
      duplex.close(refusal);
      throw refusal;
    },
  };
}

/** Who can do what the platform cannot, where there is one. */
async function instead(options: TlsOptions, wolfssl: () => Promise<TlsEngine>): Promise<TlsEngine | undefined> {
  return options.nodeOptions === undefined ? await wolfssl().catch(() => undefined) : await nodeTls();
}
